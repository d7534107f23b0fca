// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.Function;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.SgdStep;

/**
 * A Gram matrix that is broadcast: entry by entry that of the driver, in its precision. Every
 * executor decomposes it once. Its fields are what every serialiser can write, which records are
 * not.
 */
final class SentGram implements Serializable {
  private static final long serialVersionUID = 1;

  private final int examples;
  private final int outputs;
  private final double epsilon;
  private final float[][] floats;
  private final double[][] doubles;
  private transient Function<SgdStep, StabilityReport> analysis;
  private transient GramMatrix gram;

  SentGram(GramMatrix gram) {
    examples = gram.examples();
    outputs = gram.outputs();
    epsilon = gram.epsilon();
    boolean single = gram.isSinglePrecision();
    floats = single ? new float[gram.size()][gram.size()] : null;
    doubles = single ? null : new double[gram.size()][gram.size()];
    double[] row = new double[gram.size()];
    for (int i = 0; i < row.length; i++) {
      gram.copyRow(i, single ? row : doubles[i]);
      if (single) {
        narrow(row, floats[i]);
      }
    }
  }

  private static void narrow(double[] row, float[] target) {
    for (int j = 0; j < row.length; j++) {
      target[j] = (float) row[j];
      if (target[j] != row[j]) {
        throw new IllegalArgumentException(
            "entries of a Gram matrix in single precision must be floats, got "
                + row[j]
                + "; scale the matrix by a smaller power of two");
      }
    }
  }

  synchronized GramMatrix gram() {
    if (gram == null) {
      GramMatrix adopted =
          floats == null
              ? GramMatrix.of(doubles, examples, outputs)
              : GramMatrix.adopt(copy(floats), examples, outputs);
      gram = adopted.withEpsilon(epsilon);
    }
    return gram;
  }

  /**
   * The analysis, always with the same settings. It is not cancelled with one job, since the others
   * of this executor wait for the same parts.
   */
  synchronized Function<SgdStep, StabilityReport> analysis(SentSettings settings) {
    if (analysis == null) {
      analysis = settings.analyzer(() -> false).on(gram());
    }
    return analysis;
  }

  private static float[][] copy(float[][] rows) {
    float[][] copy = rows.clone();
    for (int i = 0; i < copy.length; i++) {
      copy[i] = rows[i].clone();
    }
    return copy;
  }

  /** SHA-256 of shape and entries. */
  String hash() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(
          ByteBuffer.allocate(16).putInt(examples).putInt(outputs).putDouble(epsilon).flip());
      int size = examples * outputs;
      ByteBuffer row = ByteBuffer.allocate(size * Double.BYTES);
      for (int i = 0; i < size; i++) {
        row.clear();
        for (int j = 0; j < size; j++) {
          row.putDouble(floats == null ? doubles[i][j] : floats[i][j]);
        }
        digest.update(row.flip());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
