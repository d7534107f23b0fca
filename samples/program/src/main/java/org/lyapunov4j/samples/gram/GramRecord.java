// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.gram;

import java.util.List;
import org.lyapunov4j.dl4j.gram.GramCheck;
import org.lyapunov4j.dl4j.gram.NtkGramResult;

/**
 * What is known about a Gram matrix that was written to a file; the check's numbers are those of
 * {@link GramCheck}, absent where they were not asked for and null where undefined.
 *
 * @param out the file
 * @param layers the files of the layers by name, in the order of the network
 * @param examples N
 * @param outputs K
 * @param weighting {@code curvature} or {@code plain}
 * @param precision {@code float} or {@code double}
 * @param trace Σ G_ii
 * @param asymmetry |G_ij − G_ji| among checked examples
 * @param spotRows rows checked against Deeplearning4j's own gradients
 * @param spotDeviation the largest deviation among them
 * @param smallestEigenvalue κ_min
 * @param rounding what κ_min cannot be told from 0 below
 * @param assumptions what was assumed
 * @param seconds of computation
 */
record GramRecord(
    String out,
    List<String> layers,
    int examples,
    int outputs,
    String weighting,
    String precision,
    double trace,
    double asymmetry,
    int spotRows,
    double spotDeviation,
    Double smallestEigenvalue,
    Double rounding,
    List<String> assumptions,
    double seconds) {
  /** {@inheritDoc} */
  GramRecord {
    layers = List.copyOf(layers);
    assumptions = List.copyOf(assumptions);
  }

  /**
   * The record of a result.
   *
   * @param result the matrix
   * @param out its file
   * @param layers the files of its layers
   * @param weighting how it is weighted
   * @param seconds how long it took
   * @return the record
   */
  static GramRecord of(
      NtkGramResult result, String out, List<String> layers, String weighting, double seconds) {
    GramCheck check = result.check();
    return new GramRecord(
        out,
        layers,
        result.gram().examples(),
        result.gram().outputs(),
        weighting,
        result.gram().isSinglePrecision() ? "float" : "double",
        result.gram().trace(),
        check.asymmetry(),
        check.spotRows(),
        check.spotDeviation(),
        check.smallestEigenvalue().isPresent() ? check.smallestEigenvalue().getAsDouble() : null,
        check.rounding().isPresent() ? check.rounding().getAsDouble() : null,
        check.assumptions(),
        seconds);
  }
}
