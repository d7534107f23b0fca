// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Arrays;
import java.util.Objects;
import org.lyapunov4j.exponent.Estimate;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.MiniBatchSampling;
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
 * <p>How far they are apart, as measured on small networks outside this project: for squared errors
 * −11 … +13 % at the first step of training and 1 to 8 % later; for cross-entropy the Gauss–Newton
 * value was 4 to 16 % too low.
 *
 * <p>In ordered epochs there are ⌈N/B⌉ batches and no others: all of them are taken, without error,
 * or as many as asked for, chosen at random from all.
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
   * Draws batches as the step does; for the full batch a single one, and none twice in ordered
   * epochs.
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
    int examples = gram.examples();
    boolean ordered =
        step.isFullBatch(examples) || step.sampling() == MiniBatchSampling.ORDERED_EPOCHS;
    int all = MiniBatchSampler.stepsPerEpoch(examples, step.batchSize());
    int draws = ordered ? Math.min(all, batches) : batches;
    double[] curvatures = new double[draws];
    double[] squares = new double[draws];
    Draws source = ordered ? chosen(all, examples, step, random) : sampled(examples, step, random);
    Measured batch = new Measured(gram.normalised(), normalised(residuals), step.batchSize());
    int kept = 0;
    for (int draw = 0; draw < draws; draw++) {
      batch.measure(source);
      if (batch.square > 0) {
        curvatures[kept] = batch.curvature;
        squares[kept++] = batch.square;
      }
    }
    double unseen = ordered ? 1 - (double) draws / all : 1;
    double unit = Math.scalb(1.0, gram.exponent());
    return of(Arrays.copyOf(curvatures, kept), Arrays.copyOf(squares, kept), unit, unseen);
  }

  /** Their length cancels; near 1 no square of them overflows. */
  private static double[] normalised(double[] residuals) {
    double largest = Arrays.stream(residuals).map(Math::abs).max().orElse(0);
    int exponent = largest == 0 ? 0 : Math.getExponent(largest);
    return Arrays.stream(residuals).map(e -> Math.scalb(e, -exponent)).toArray();
  }

  /** A source of batches; returns their size. */
  private interface Draws {
    int next(int[] batch);
  }

  private static Draws sampled(int examples, SgdStep step, RandomStream random) {
    return new MiniBatchSampler(examples, step.batchSize(), step.sampling(), random)::next;
  }

  /** The batches of an ordered epoch in a random order. */
  private static Draws chosen(int all, int examples, SgdStep step, RandomStream random) {
    MiniBatchSampler order =
        new MiniBatchSampler(all, 1, MiniBatchSampling.SHUFFLED_EPOCHS, random);
    int[] number = new int[1];
    return batch -> {
      order.next(number);
      int first = number[0] * step.batchSize();
      int size = Math.min(step.batchSize(), examples - first);
      Arrays.setAll(batch, j -> first + Math.min(j, size - 1));
      return size;
    };
  }

  /**
   * From what was measured.
   *
   * @param unit what curvatures are measured in
   * @param unseen share of the batches there are that was not measured, 1 if they are not counted
   */
  private static BatchSharpness of(
      double[] curvatures, double[] squares, double unit, double unseen) {
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
    double scale = n > 1 ? unseen / ((double) n * (n - 1)) : 0;
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

    void measure(Draws source) {
      int size = source.next(batch);
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
