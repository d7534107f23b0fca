# SPDX-License-Identifier: Apache-2.0
"""Writes the files of this folder that NumPy and PyTorch did not write in one line: python3 make.py"""
import numpy as np
import torch

M = np.array([[1.5, -2.25, 3], [4, 0, -6]])
np.save("half.npy", np.array([[1.5, -2.25, 65504], [6e-8, -0.0, np.inf]], "<f2"))
np.save("bool.npy", M > 0)
for kind in "i1", "u1", "<i2", ">u2", "<i4", ">u4", "<i8", "<u8":
    name = kind.strip("<>")
    top = np.iinfo(name).max if int(name[1]) < 8 else 2**53
    np.save(name + ".npy", np.array([[1, 2, top], [0, 100, 1 if name[0] == "u" else -7]]).astype(kind))
np.save("large.npy", np.array([[2**53 + 1, 0]]))
np.save("complex.npy", M + 1j)
np.save("text.npy", np.array([["a", "b"]]))
np.save("tensor.npy", np.arange(24.0).reshape(2, 3, 4))
np.savez("one.npz", G=M)
np.savez_compressed("compressed.npz", G=np.asfortranarray(M.astype("f4")))
np.savez("two.npz", G=M, y=np.array([1.0, 2.0]))
np.savez("pickled.npz", G=np.array([[None]], object))
torch.save({"G": torch.zeros(2)}, "model.pt")
