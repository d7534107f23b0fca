// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Locale;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * The linearised step on the displacement z of the parameters within the span of all gradients.
 * With G = F Fᵀ, F = Q diag(√κ) over the r nonzero eigenvalues κ of G, residuals are F z and
 *
 * <pre>
 *   z ← keep·z − (η/|S|) F_Sᵀ F_S z
 * </pre>
 *
 * <p>symmetric r × r factors without a kernel to drift into: the exponents on range(G) and no
 * others. ‖z‖² is the energy wᵀGw. With momentum the state is (z, v), of length 2r. A step costs 4
 * |S|K r flops a vector, 6 |S|K r with momentum: twice those of residuals, which is the price of
 * staying in range(G) exactly.
 */
final class DisplacementCocycle implements LinearCocycle {
  private static final double LARGEST_FACTOR = 1e100;

  private final double[][] rows;
  private final int rank;
  private final int examples;
  private final int outputs;
  private final SgdStep step;
  private final Update update;

  private DisplacementCocycle(GramSpectrum spectrum, SgdStep step) {
    rows = factor(spectrum);
    rank = spectrum.rank();
    examples = spectrum.examples();
    outputs = spectrum.outputs();
    this.step = step;
    update = Update.of(step);
  }

  /**
   * The cocycle of a step.
   *
   * @param spectrum with eigenvectors
   * @param step its batch size at most N
   */
  static DisplacementCocycle of(GramSpectrum spectrum, SgdStep step) {
    requireModerate(spectrum, step);
    DisplacementCocycle cocycle = new DisplacementCocycle(spectrum, step);
    cocycle.sampler(new RandomStream(0));
    return cocycle;
  }

  /** The rank of G. */
  int rank() {
    return rank;
  }

  @Override
  public int dimension() {
    return update.hasMemory() ? 2 * rank : rank;
  }

  @Override
  public int stepsPerEpoch() {
    return MiniBatchSampler.stepsPerEpoch(examples, step.batchSize());
  }

  @Override
  public boolean isIndependent() {
    return step.sampling().isIndependent();
  }

  @Override
  public Realisation realise(RandomStream random) {
    MiniBatchSampler sampler = sampler(random);
    int[] batch = new int[step.batchSize()];
    return () -> {
      int size = sampler.next(batch);
      return update.hasMemory()
          ? new FactorWithMemory(rowsOf(batch, size), size)
          : new PlainFactor(rowsOf(batch, size), size);
    };
  }

  /** The norm of the residual F z. */
  @Override
  public double observedNorm(double[] x) {
    double squares = 0;
    for (double[] row : rows) {
      double residual = RowSweep.dot(row, x, rank);
      squares += residual * residual;
    }
    return Math.sqrt(squares);
  }

  private MiniBatchSampler sampler(RandomStream random) {
    return new MiniBatchSampler(examples, step.batchSize(), step.sampling(), random);
  }

  private int[] rowsOf(int[] batch, int size) {
    int[] chosen = new int[size * outputs];
    for (int j = 0; j < chosen.length; j++) {
      chosen[j] = batch[j / outputs] * outputs + j % outputs;
    }
    return chosen;
  }

  /** The rows of F = Q diag(√κ), eigenvalues descending. */
  private static double[][] factor(GramSpectrum spectrum) {
    int m = spectrum.size();
    double[][] rows = new double[m][spectrum.rank()];
    double[] vector = new double[m];
    for (int k = 0; k < spectrum.rank(); k++) {
      spectrum.copyEigenvector(m - 1 - k, vector, 0);
      double root = Math.sqrt(spectrum.eigenvalue(m - 1 - k));
      for (int i = 0; i < m; i++) {
        rows[i][k] = root * vector[i];
      }
    }
    return rows;
  }

  private static void requireModerate(GramSpectrum spectrum, SgdStep step) {
    double factor = step.learningRate() * spectrum.largest();
    if (!(factor < LARGEST_FACTOR)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "learning rate × largest eigenvalue of the Gram matrix must be below %.0e, got %.3g;"
                  + " lower the learning rate",
              LARGEST_FACTOR,
              factor));
    }
  }

  private final class PlainFactor implements Factor {
    private final int[] chosen;
    private final double factor;
    private final double[] residuals;

    PlainFactor(int[] chosen, int size) {
      this.chosen = chosen;
      factor = -update.rate() / size;
      residuals = new double[chosen.length];
    }

    @Override
    public void apply(double[] z) {
      RowSweep.multiply(rows, chosen, 0, chosen.length, z, rank, residuals);
      if (update.keep() != 1) {
        RowSweep.scale(z, update.keep());
      }
      RowSweep.combine(rows, chosen, 0, chosen.length, factor, residuals, z, 0);
    }
  }

  private final class FactorWithMemory implements Factor {
    private final int[] chosen;
    private final double factor;
    private final double[] residuals;

    FactorWithMemory(int[] chosen, int size) {
      this.chosen = chosen;
      factor = update.gradientWeight() / size;
      residuals = new double[chosen.length];
    }

    @Override
    public void apply(double[] x) {
      RowSweep.multiply(rows, chosen, 0, chosen.length, x, rank, residuals);
      double penalty = update.gradientWeight() * update.l2();
      for (int j = 0; j < rank; j++) {
        double position = x[j];
        double velocity = x[rank + j];
        double next = update.memory() * velocity + penalty * position;
        x[rank + j] = next;
        x[j] = update.keep() * position + update.oldWeight() * velocity + update.newWeight() * next;
      }
      int count = chosen.length;
      RowSweep.combine(rows, chosen, 0, count, factor, residuals, x, rank);
      RowSweep.combine(rows, chosen, 0, count, update.newWeight() * factor, residuals, x, 0);
    }
  }
}
