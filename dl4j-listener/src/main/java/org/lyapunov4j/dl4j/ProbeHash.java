// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** SHA-256 over the shapes, data types and values of a data set. */
final class ProbeHash {
  private final MessageDigest digest;

  private ProbeHash() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  static String of(MultiDataSet data) {
    ProbeHash hash = new ProbeHash();
    hash.add("features", data.getFeatures());
    hash.add("labels", data.getLabels());
    hash.add("features masks", data.getFeaturesMaskArrays());
    hash.add("labels masks", data.getLabelsMaskArrays());
    return HexFormat.of().formatHex(hash.digest.digest());
  }

  private void add(String name, INDArray[] arrays) {
    digest.update(name.getBytes(StandardCharsets.UTF_8));
    for (int i = 0; arrays != null && i < arrays.length; i++) {
      if (arrays[i] != null) {
        add(i, arrays[i]);
      }
    }
  }

  private void add(int index, INDArray array) {
    String shape = index + array.dataType().name() + Arrays.toString(array.shape());
    digest.update(shape.getBytes(StandardCharsets.UTF_8));
    double[] values =
        array.castTo(DataType.DOUBLE).dup('c').reshape(array.length()).toDoubleVector();
    ByteBuffer bytes = ByteBuffer.allocate(8 * values.length);
    for (double value : values) {
      bytes.putDouble(value);
    }
    digest.update(bytes.array());
  }
}
