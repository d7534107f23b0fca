// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * Estimates several or all Lyapunov exponents of a step by Benettin's method: a frame of q
 * orthonormal vectors is carried along and made orthonormal again at least every 16 steps, earlier
 * where the vectors part faster.
 *
 * <p>The frame starts at the eigenvectors of G, the slowest first. In the stable phase a random one
 * would take many times 1/|λ| steps to turn there, and the decay of the other modes meanwhile is
 * not seen in its errors. Directions that grow come first: a burn-in with a random frame finds
 * them, since they turn up within a few times 1/λ steps; and should its first direction contract
 * less than the slowest mode does, as it may where directions do not mix, that frame is kept. Each
 * of R trajectories (default 2) does so, burns in again and is then measured in 16 batches; the
 * standard errors come from the spread of the R·16 batch means. Full-batch steps are not sampled:
 * their exponents follow from the eigenvalues of G. With ordered epochs nothing is random after the
 * start, and the errors show convergence only.
 *
 * <p>Cost: once the eigenvectors of G; then 4·B·K·rank flops a step and vector (6 with momentum),
 * and 2·q²·rank flops (4·q²·rank with momentum) each time the frame is made orthonormal, which
 * dominates for q above 32·B·K. Memory: 8·m·rank bytes and 16·q·rank bytes a trajectory.
 *
 * <p>The seed fixes the result bit for bit, whatever the number of threads.
 */
public final class SpectrumEstimator {
  private static final int LEAST_STEPS = 16;

  private final Builder settings;

  private SpectrumEstimator(Builder settings) {
    this.settings = settings;
  }

  /**
   * Starts a configuration.
   *
   * @return a builder with the defaults
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Estimates the spectrum.
   *
   * @param gram G
   * @param step the step; its batch size at most N
   * @return the spectrum, with no exponents if G = 0
   * @throws CancellationException if cancelled or interrupted
   */
  public LyapunovSpectrum estimate(GramMatrix gram, SgdStep step) {
    return estimate(gram, spectrumFor(gram, step), step);
  }

  /**
   * Estimates the spectrum of a Gram matrix whose eigenvalues are known already.
   *
   * @param gram G
   * @param spectrum of G, with eigenvectors unless the step is a full-batch one
   * @param step the step; its batch size at most N
   * @return the spectrum, with no exponents if G = 0
   * @throws CancellationException if cancelled or interrupted
   */
  public LyapunovSpectrum estimate(GramMatrix gram, GramSpectrum spectrum, SgdStep step) {
    if (step.isFullBatch(gram.examples())) {
      return exact(spectrum, step);
    }
    DisplacementCocycle cocycle = DisplacementCocycle.of(spectrum, step);
    int dimension = cocycle.dimension();
    int count = Math.min(settings.exponents, dimension);
    List<Estimate> exponents = count == 0 ? List.of() : sample(cocycle, count);
    Estimate sum = sumOfExponents(gram, spectrum, step);
    if (count == dimension && sum.value() == Double.NEGATIVE_INFINITY) {
      exponents.set(count - 1, Estimate.exact(Double.NEGATIVE_INFINITY));
    }
    long steps = (long) cocycle.stepsPerEpoch() * settings.epochs * settings.trajectories;
    return new LyapunovSpectrum(
        exponents, dimension, gram.size() - spectrum.rank(), sum, count == 0 ? 0 : steps);
  }

  /**
   * The sum of all exponents on range(G), E log |det|, from the batches alone: for a plain step E
   * log |det(I − (η/B) G_SS)|, with momentum β a part rank·log β is added. Exact where there are at
   * most 4096 batches (fewer for large ones), else the mean over sampled ones.
   *
   * @param gram G
   * @param step the step; its batch size at most N
   * @return nats per step; −∞ if a batch makes the determinant zero
   */
  public Estimate sumOfExponents(GramMatrix gram, SgdStep step) {
    return sumOfExponents(gram, GramSpectrum.eigenvaluesOnly(gram), step);
  }

  private Estimate sumOfExponents(GramMatrix gram, GramSpectrum spectrum, SgdStep step) {
    if (step.isFullBatch(gram.examples())) {
      return exact(spectrum, step).sum();
    }
    RandomStream random = new RandomStream(settings.seed).split(settings.trajectories);
    return MeanLogDeterminant.of(gram, spectrum.rank(), step, random);
  }

  private LyapunovSpectrum exact(GramSpectrum spectrum, SgdStep step) {
    double[] all = FullBatchSpectrum.of(spectrum, step);
    return new LyapunovSpectrum(
        Arrays.stream(all).limit(settings.exponents).mapToObj(Estimate::exact).toList(),
        all.length,
        spectrum.size() - spectrum.rank(),
        Estimate.exact(Arrays.stream(all).sum()),
        0);
  }

  /** Eigenvalues are enough for a full-batch step. */
  static GramSpectrum spectrumFor(GramMatrix gram, SgdStep step) {
    return step.isFullBatch(gram.examples())
        ? GramSpectrum.eigenvaluesOnly(gram)
        : GramSpectrum.of(gram);
  }

  /** The {@code count} largest exponents of a cocycle, descending. */
  List<Estimate> sample(LinearCocycle cocycle, int count) {
    long work = (2L * settings.burnInEpochs(cocycle) + settings.epochs) * settings.trajectories;
    TaskProgress monitor = new TaskProgress(work, settings.cancelled, settings.progress);
    List<Run> runs = new ArrayList<>();
    RandomStream random = new RandomStream(settings.seed);
    for (int t = 0; t < settings.trajectories; t++) {
      runs.add(new Run(cocycle, count, random.split(t), monitor));
    }
    Parallel.run(runs, settings.threads, Run::execute);
    List<Estimate> exponents = new ArrayList<>();
    for (int j = 0; j < count; j++) {
      double[][] batches = new double[runs.size()][];
      for (int t = 0; t < batches.length; t++) {
        batches[t] = runs.get(t).batches[j];
      }
      exponents.add(PooledBatches.estimate(batches));
    }
    exponents.sort(Comparator.comparingDouble(Estimate::value).reversed());
    return exponents;
  }

  /** One trajectory. */
  private final class Run {
    private final LinearCocycle cocycle;
    private final int count;
    private final RandomStream random;
    private final TaskProgress monitor;
    private double[][] batches;

    Run(LinearCocycle cocycle, int count, RandomStream random, TaskProgress monitor) {
      this.cocycle = cocycle;
      this.count = count;
      this.random = random;
      this.monitor = monitor;
    }

    /** Measures again if a vector was annihilated meanwhile, since those behind it moved up. */
    void execute() {
      QrIteration iteration = new QrIteration(cocycle, count, random);
      double[] found = burnIn(iteration);
      double[][] frame = cocycle.slowFrame();
      if (frame.length > 0) {
        double[][] turned = iteration.frame();
        iteration.continueWith(growing(found), frame);
        if (burnIn(iteration)[0] < found[0]) {
          iteration.continueWith(0, turned);
        }
      }
      int alive;
      do {
        alive = iteration.alive();
        measure(iteration);
      } while (iteration.alive() < alive);
    }

    /** The growth of each column in the second half of a burn-in. */
    private double[] burnIn(QrIteration iteration) {
      int epochs = settings.burnInEpochs(cocycle);
      advance(iteration, epochs - epochs / 2);
      iteration.takeGrowth();
      advance(iteration, epochs / 2);
      return iteration.takeGrowth();
    }

    /** How many of the first columns grow. */
    private static int growing(double[] growth) {
      int growing = 0;
      while (growing < growth.length && growth[growing] > 0) {
        growing++;
      }
      return growing;
    }

    private void measure(QrIteration iteration) {
      int epochs = settings.epochs / PooledBatches.COUNT;
      double steps = (double) epochs * cocycle.stepsPerEpoch();
      batches = new double[count][PooledBatches.COUNT];
      iteration.takeGrowth();
      for (int b = 0; b < PooledBatches.COUNT; b++) {
        advance(iteration, epochs);
        double[] growth = iteration.takeGrowth();
        for (int j = 0; j < count; j++) {
          batches[j][b] = growth[j] / steps;
        }
      }
    }

    /** Short epochs are taken together: each part ends with orthonormal vectors. */
    private void advance(QrIteration iteration, int epochs) {
      int together = Math.max(1, LEAST_STEPS / cocycle.stepsPerEpoch());
      int left = epochs;
      while (left > 0) {
        int part = Math.min(together, left);
        iteration.advance(part * cocycle.stepsPerEpoch());
        monitor.advance(part);
        left -= part;
      }
    }
  }

  /** Settings of a {@link SpectrumEstimator}; every method refuses nonsense at once. */
  public static final class Builder extends SamplingBuilder<Builder> {
    private int exponents = Integer.MAX_VALUE;
    private int epochs = 128;

    private Builder() {
      super(2);
    }

    /**
     * How many of the largest exponents to estimate.
     *
     * @param count at least 1; default all. What exceeds the rank of G (twice that with momentum)
     *     is left out
     * @return this
     */
    public Builder exponents(int count) {
      exponents = requireAtLeast("number of exponents", count, 1);
      return this;
    }

    /**
     * Measured epochs of each trajectory.
     *
     * @param epochs at least 16, rounded down to a multiple of 16; default 128
     * @return this
     */
    public Builder epochs(int epochs) {
      this.epochs = PooledBatches.multiple(requireAtLeast("epochs", epochs, PooledBatches.COUNT));
      return this;
    }

    /**
     * The estimator.
     *
     * @return an immutable estimator, safe for use by several threads
     */
    public SpectrumEstimator build() {
      Builder copy = copyTo(new Builder());
      copy.exponents = exponents;
      copy.epochs = epochs;
      return new SpectrumEstimator(copy);
    }

    @Override
    protected Builder self() {
      return this;
    }
  }
}
