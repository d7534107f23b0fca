// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Arrays;
import java.util.Objects;
import org.lyapunov4j.exponent.Estimate;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * The curvature that SGD meets along its own mini-batch gradients. For a batch S of size B let L_S
 * be its mean loss, g_S = ∇L_S and H_S the Gauss–Newton matrix of L_S. Both estimators in use are
 * given:
 *
 * <ul>
 *   <li>the mean of ratios E[ g_SᵀH_S g_S / ‖g_S‖² ],
 *   <li>the ratio of means E[ g_SᵀH_S g_S ] / E[ ‖g_S‖² ], in which batches with large gradients
 *       count more.
 * </ul>
 *
 * <p>In function space, with the curvature-weighted Gram matrix G and residuals e such that g_S =
 * (1/B) JᵀR e_S, the two expectations are those of (1/B³)‖G_SS e_S‖² and (1/B²) e_SᵀG_SS e_S. The
 * published definition has the Hessian where this has the Gauss–Newton matrix; they agree where the
 * loss is small. SGD is said to level off where it reaches 2/η. For B = N both equal (1/N) ‖G e‖² /
 * (eᵀG e), at most the sharpness; for B = K = 1 the mean of ratios is that of the diagonal of G.
 *
 * <p>Source: A. Andreyev, P. Beneventano, <i>Edge of Stochastic Stability: Revisiting the Edge of
 * Stability for SGD</i>, arXiv 2412.20553.
 *
 * @param meanOfRatios mean over batches, in units of 1/learning rate; NaN if every gradient
 *     vanishes
 * @param ratioOfMeans the other estimator; its standard error by linearisation
 * @param batches how many batches with a gradient were drawn
 */
public record BatchSharpness(Estimate meanOfRatios, Estimate ratioOfMeans, int batches) {
  /** {@inheritDoc} */
  public BatchSharpness {
    Objects.requireNonNull(meanOfRatios, "meanOfRatios");
    Objects.requireNonNull(ratioOfMeans, "ratioOfMeans");
  }

  /**
   * Draws batches as the step does; for the full batch a single one.
   *
   * @param gram G
   * @param residuals e, length m
   * @param step its batch size and sampling count, nothing else
   * @param batches how many to draw, at least 2
   * @param random the draws
   * @return the estimates
   */
  public static BatchSharpness estimate(
      GramMatrix gram, double[] residuals, SgdStep step, int batches, RandomStream random) {
    if (residuals.length != gram.size()) {
      throw new IllegalArgumentException(
          "residuals must have the length m = " + gram.size() + ", got " + residuals.length);
    }
    if (batches < 2) {
      throw new IllegalArgumentException("batches must be at least 2, got " + batches);
    }
    int draws = step.isFullBatch(gram.examples()) ? 1 : batches;
    double[] curvatures = new double[draws];
    double[] squares = new double[draws];
    MiniBatchSampler sampler =
        new MiniBatchSampler(gram.examples(), step.batchSize(), step.sampling(), random);
    Measured batch = new Measured(gram.normalised(), normalised(residuals), step.batchSize());
    int kept = 0;
    for (int draw = 0; draw < draws; draw++) {
      batch.measure(sampler);
      if (batch.square > 0) {
        curvatures[kept] = batch.curvature;
        squares[kept++] = batch.square;
      }
    }
    double unit = Math.scalb(1.0, gram.exponent());
    return of(Arrays.copyOf(curvatures, kept), Arrays.copyOf(squares, kept), unit);
  }

  /** Their length cancels; near 1 no square of them overflows. */
  private static double[] normalised(double[] residuals) {
    double largest = Arrays.stream(residuals).map(Math::abs).max().orElse(0);
    int exponent = largest == 0 ? 0 : Math.getExponent(largest);
    return Arrays.stream(residuals).map(e -> Math.scalb(e, -exponent)).toArray();
  }

  private static BatchSharpness of(double[] curvatures, double[] squares, double unit) {
    int n = squares.length;
    double ratios = 0;
    double curvature = 0;
    double square = 0;
    for (int i = 0; i < n; i++) {
      ratios += curvatures[i] / squares[i] / n;
      curvature += curvatures[i] / n;
      square += squares[i] / n;
    }
    double ratio = curvature / square;
    double spread = 0;
    double linearised = 0;
    for (int i = 0; i < n; i++) {
      spread += Math.pow(curvatures[i] / squares[i] - ratios, 2);
      linearised += Math.pow((curvatures[i] - ratio * squares[i]) / square, 2);
    }
    double scale = n > 1 ? 1 / ((double) n * (n - 1)) : 0;
    return new BatchSharpness(
        new Estimate(n == 0 ? Double.NaN : unit * ratios, unit * Math.sqrt(scale * spread)),
        new Estimate(unit * ratio, unit * Math.sqrt(scale * linearised)),
        n);
  }

  /** g_SᵀH_S g_S and ‖g_S‖² of one batch. */
  private static final class Measured {
    private final GramMatrix gram;
    private final double[] residuals;
    private final int[] batch;
    private final int[] rows;
    private final double[] coefficients;
    private final double[] image;
    private double curvature;
    private double square;

    Measured(GramMatrix gram, double[] residuals, int batchSize) {
      this.gram = gram;
      this.residuals = residuals;
      batch = new int[batchSize];
      rows = new int[batchSize * gram.outputs()];
      coefficients = new double[rows.length];
      image = new double[gram.size()];
    }

    void measure(MiniBatchSampler sampler) {
      int size = sampler.next(batch);
      int outputs = gram.outputs();
      int count = size * outputs;
      for (int j = 0; j < count; j++) {
        rows[j] = batch[j / outputs] * outputs + j % outputs;
        coefficients[j] = residuals[rows[j]];
      }
      Arrays.fill(image, 0);
      gram.addColumns(rows, coefficients, count, image);
      curvature = 0;
      square = 0;
      for (int j = 0; j < count; j++) {
        curvature += image[rows[j]] * image[rows[j]] / ((double) size * size * size);
        square += image[rows[j]] * coefficients[j] / ((double) size * size);
      }
    }
  }
}
