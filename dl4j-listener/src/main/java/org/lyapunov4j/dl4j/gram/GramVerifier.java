// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.TreeSet;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Watches one computation of a Gram matrix and checks some of its entries in other ways. */
final class GramVerifier {
  private final int outputs;
  private final SpotCheck spotCheck;
  private final int[] rows;
  private final int[] descending;
  private final GramAccumulator upper;
  private final List<INDArray> derivatives = new ArrayList<>();

  /**
   * A watcher.
   *
   * @param examples N
   * @param outputs K
   * @param count how many rows are checked
   * @param spotCheck where their truth comes from; null if count is 0
   */
  GramVerifier(int examples, int outputs, int count, SpotCheck spotCheck) {
    this.outputs = outputs;
    this.spotCheck = spotCheck;
    RandomStream random = new RandomStream(1);
    rows = new int[count];
    TreeSet<Integer> chosen = new TreeSet<>();
    for (int r = 0; r < count; r++) {
      rows[r] = random.nextInt(examples * outputs);
      chosen.add(rows[r] / outputs);
    }
    descending = chosen.descendingSet().stream().mapToInt(Integer::intValue).toArray();
    upper =
        count == 0
            ? null
            : new GramAccumulator(descending.length, outputs, false, Tile.Product.NATIVE, () -> {});
  }

  /** Keeps where the columns of an output start. */
  INDArray remember(INDArray start) {
    if (upper != null) {
      derivatives.add(start);
    }
    return start;
  }

  /**
   * The examples to check in descending order: what is below the diagonal here is above it in G.
   */
  void add(JacobianBlock block, GramMethod method) {
    if (upper != null) {
      Contraction.add(block.select(descending), upper, method);
    }
  }

  /**
   * Where the matrix was computed.
   *
   * @param parameters flat
   * @param weights of the parameters, or null
   * @param norms that are fixed, or null
   */
  record Place(INDArray parameters, INDArray weights, FixedNorms norms) {
    double[] weightsOrNull() {
      return weights == null ? null : numbers(weights);
    }

    void project(double[] row) {
      if (norms != null) {
        norms.project(numbers(parameters), row);
      }
    }

    private static double[] numbers(INDArray array) {
      return array.castTo(DataType.DOUBLE).dup('c').data().asDouble();
    }
  }

  GramCheck check(
      GramMatrix gram, Place place, boolean eigenvalues, double epsilon, List<String> assumptions) {
    OptionalDouble smallest = OptionalDouble.empty();
    OptionalDouble rounding = OptionalDouble.empty();
    if (eigenvalues) {
      GramSpectrum spectrum = GramSpectrum.eigenvaluesOnly(gram);
      smallest = OptionalDouble.of(spectrum.lowest());
      rounding = OptionalDouble.of(epsilon * gram.size() * spectrum.largest());
    }
    return new GramCheck(
        upper == null ? Double.NaN : asymmetry(gram),
        rows.length,
        upper == null ? Double.NaN : deviation(gram, place),
        smallest,
        rounding,
        assumptions);
  }

  private double asymmetry(GramMatrix gram) {
    GramMatrix mirror = upper.toGram();
    double gap = 0;
    double largest = 0;
    for (int r = 0; r < mirror.size(); r++) {
      largest = Math.max(largest, gram.get(row(r), row(r)));
      for (int c = 0; c < r; c++) {
        gap = Math.max(gap, Math.abs(mirror.get(r, c) - gram.get(row(r), row(c))));
      }
    }
    return largest == 0 ? gap : gap / largest;
  }

  private int row(int r) {
    return descending[r / outputs] * outputs + r % outputs;
  }

  private double deviation(GramMatrix gram, Place place) {
    spotCheck.setParameters(place.parameters());
    double[] weights = place.weightsOrNull();
    double[][] jacobian = new double[rows.length][];
    double gap = 0;
    double largest = 0;
    for (int a = 0; a < rows.length; a++) {
      jacobian[a] = spotCheck.row(derivatives, rows[a] / outputs, rows[a] % outputs);
      place.project(jacobian[a]);
      for (int b = 0; b <= a; b++) {
        double product = product(jacobian[a], jacobian[b], weights);
        gap = Math.max(gap, Math.abs(product - gram.get(rows[a], rows[b])));
        largest = Math.max(largest, Math.abs(product));
      }
    }
    return largest == 0 ? gap : gap / largest;
  }

  private static double product(double[] x, double[] y, double[] weights) {
    double sum = 0;
    for (int p = 0; p < x.length; p++) {
      sum += (weights == null ? 1 : weights[p]) * x[p] * y[p];
    }
    return sum;
  }
}
