// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Products x yᵀ of matrices of any size up to a limit, in memory that is used again. */
final class Tile implements AutoCloseable {
  /** C ← op(A) op(B). */
  @FunctionalInterface
  interface Product {
    /** By the library, unchecked: the sum of all tiles is checked. */
    Product NATIVE =
        (a, b, c, transposeA, transposeB) -> Nd4j.gemm(a, b, c, transposeA, transposeB, 1, 0);

    void multiply(INDArray a, INDArray b, INDArray c, boolean transposeA, boolean transposeB);
  }

  private final Product product;
  private final INDArray storage;
  private final FloatBuffer floats;
  private final DoubleBuffer doubles;
  private int columns;

  Tile(long entries, DataType type, Product product) {
    this.product = product;
    storage = Nd4j.createUninitialized(type, new long[] {entries}, 'c');
    Pointer address = storage.data().addressPointer();
    boolean single = type == DataType.FLOAT;
    floats = single ? new FloatPointer(address).capacity(entries).asBuffer() : null;
    doubles = single ? null : new DoublePointer(address).capacity(entries).asBuffer();
  }

  boolean holds(long entries, DataType type) {
    return storage.length() >= entries && storage.dataType() == type;
  }

  boolean isSinglePrecision() {
    return floats != null;
  }

  /** Replaces the tile by x yᵀ. */
  void product(INDArray x, INDArray y) {
    columns = (int) y.size(0);
    INDArray transposed =
        storage.get(NDArrayIndex.interval(0, x.size(0) * columns)).reshape('f', columns, x.size(0));
    product.multiply(y, x, transposed, false, true);
  }

  int columns() {
    return columns;
  }

  void read(int row, float[] target) {
    floats.get(row * columns, target, 0, columns);
  }

  void read(int row, double[] target) {
    doubles.get(row * columns, target, 0, columns);
  }

  @Override
  public void close() {
    storage.close();
  }
}
