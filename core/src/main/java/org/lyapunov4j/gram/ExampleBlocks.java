// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.Arrays;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.hipparchus.linear.MatrixUtils;

/**
 * The eigenvalues of the K × K diagonal blocks G_ii of a Gram matrix: the curvature each example
 * has on its own. A step on example i alone multiplies by 1 − ηκ along them.
 */
public final class ExampleBlocks {
  private final double[][] eigenvalues;

  private ExampleBlocks(double[][] eigenvalues) {
    this.eigenvalues = eigenvalues;
  }

  /**
   * The blocks of a matrix; N decompositions of size K.
   *
   * @param gram G
   * @return the blocks
   */
  public static ExampleBlocks of(GramMatrix gram) {
    GramMatrix normalised = gram.normalised();
    double[][] eigenvalues = new double[gram.examples()][];
    for (int i = 0; i < eigenvalues.length; i++) {
      eigenvalues[i] = decompose(normalised, i * gram.outputs());
      for (int k = 0; k < eigenvalues[i].length; k++) {
        eigenvalues[i][k] = Math.scalb(eigenvalues[i][k], gram.exponent());
      }
    }
    return new ExampleBlocks(eigenvalues);
  }

  /**
   * The eigenvalues of one block.
   *
   * @param example i
   * @return K eigenvalues of G_ii, ascending; a new array
   */
  public double[] eigenvalues(int example) {
    return eigenvalues[example].clone();
  }

  /**
   * The largest eigenvalue of all blocks.
   *
   * @return β = max_i ‖G_ii‖
   */
  public double largestEigenvalue() {
    double largest = 0;
    for (double[] block : eigenvalues) {
      largest = Math.max(largest, block[block.length - 1]);
    }
    return largest;
  }

  private static double[] decompose(GramMatrix gram, int first) {
    int outputs = gram.outputs();
    if (outputs == 1) {
      return new double[] {gram.get(first, first)};
    }
    double[][] block = new double[outputs][outputs];
    for (int k = 0; k < outputs; k++) {
      for (int l = 0; l < outputs; l++) {
        block[k][l] = gram.get(first + k, first + l);
      }
    }
    double[] values =
        new EigenDecompositionSymmetric(MatrixUtils.createRealMatrix(block)).getEigenvalues();
    Arrays.sort(values);
    return values;
  }
}
