// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleFunction;
import java.util.stream.IntStream;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * The growth of one residual for each of several learning rates, all from one direction and with
 * the same mini-batches, so that differences between neighbouring rates are far more certain than
 * their values.
 *
 * <p>Growth is that of the energy E = wᵀGw: ½ log(E′/E) an epoch. Where batches are independent of
 * each other it is regressed, rate by rate, on the sum over the epoch of
 *
 * <pre>
 *   c = (Σ_S |r_i|² − (B/N)|r|²)/E,
 * </pre>
 *
 * which has mean zero given the state before the draw; steps of few rows are taken in blocks, and r
 * is that at the beginning of the block, at most a 25th of an epoch before. Standard errors are
 * those of 16 batch means; a rate counts as at least half as uncertain as the next higher one,
 * since a quiet run just below the edge has merely not met a burst.
 *
 * <p>Immutable; a sweep is a function of its arguments, whatever the number of threads. Cost: 2m²
 * flops an epoch and rate.
 */
public final class RateSweep {
  static final double LEAST_SHARE = 0.5;

  /** Makes up for correlations between batch means and the fitted covariate. */
  static final double INFLATION = 1.2;

  /** Steps after which a residual is scaled back, long before it overflows. */
  private static final int LONGEST_STRIDE = 64;

  /** Share of its peak below which the energy, a sum over the past, is computed afresh. */
  private static final double STALE = 1e-6;

  /** Growth of an epoch below which a residual counts as annihilated. */
  private static final double LEAST_GROWTH = -700;

  private final GramMatrix gram;
  private final SgdStep step;
  private final DoubleFunction<Cocycle> cocycles;
  private final int threads;
  private final BooleanSupplier cancelled;
  private final int stepsPerEpoch;
  private final double leastEnergy;

  /**
   * Sweeps of one matrix and one kind of step.
   *
   * @param gram G ≠ 0
   * @param step the step; its learning rate does not matter
   * @param threads at least 1; never changes a result
   * @param cancelled asked every epoch, from several threads; true to stop
   */
  public RateSweep(GramMatrix gram, SgdStep step, int threads, BooleanSupplier cancelled) {
    this(
        gram,
        step,
        threads,
        cancelled,
        rate -> new ResidualCocycle(gram, step.withLearningRate(rate)));
  }

  /**
   * Sweeps of groups of parameters.
   *
   * @param gram G ≠ 0 and its parts
   * @param step the groups; its learning rate does not matter
   * @param threads at least 1; never changes a result
   * @param cancelled asked every epoch, from several threads; true to stop
   */
  public RateSweep(GroupedGram gram, GroupedStep step, int threads, BooleanSupplier cancelled) {
    this(
        gram.whole(),
        step.common(),
        threads,
        cancelled,
        rate -> new GroupedCocycle(gram, step.withLearningRate(rate)));
  }

  private RateSweep(
      GramMatrix gram,
      SgdStep step,
      int threads,
      BooleanSupplier cancelled,
      DoubleFunction<Cocycle> cocycles) {
    this.gram = Objects.requireNonNull(gram, "gram");
    this.step = Objects.requireNonNull(step, "step");
    this.cocycles = cocycles;
    this.threads = threads;
    this.cancelled = Objects.requireNonNull(cancelled, "cancelled");
    stepsPerEpoch = MiniBatchSampler.stepsPerEpoch(gram.examples(), step.batchSize());
    leastEnergy = 1 / gram.trace();
  }

  /**
   * The growth at one learning rate.
   *
   * @param rate η
   * @param exponent mean growth, nats per step
   * @param standardError of the exponent
   * @param direction the residual's direction at the end; empty if it was annihilated
   */
  public record Point(
      double rate, double exponent, double standardError, Optional<Tangent> direction) {}

  /**
   * How long a sweep runs, in epochs.
   *
   * @param warmUp at the largest rate, to turn the start into its unstable direction
   * @param dropped at each rate, unmeasured
   * @param measured at each rate, at least 16
   */
  public record Length(int warmUp, int dropped, int measured) {
    /** {@inheritDoc} */
    public Length {
      if (warmUp < 0 || dropped < 0 || measured < ControlledGrowth.BATCHES) {
        throw new IllegalArgumentException(
            "a sweep needs at least 16 measured epochs and no negative ones, got "
                + warmUp
                + ", "
                + dropped
                + ", "
                + measured);
      }
    }
  }

  /**
   * One sweep.
   *
   * @param rates learning rates, ascending
   * @param start a direction to start from; a random one if it is empty or of another size
   * @param length how long
   * @param random of the start and the mini-batches; only split, so that equal streams give equal
   *     sweeps
   * @return as many points, in the order of the rates
   * @throws CancellationException if cancelled
   */
  public List<Point> run(
      double[] rates, Optional<Tangent> start, Length length, RandomStream random) {
    double[] direction =
        start
            .filter(tangent -> tangent.size() == gram.size())
            .map(Tangent::toArray)
            .filter(this::hasResidual)
            .orElseGet(() -> random.split(0).gaussians(gram.size()));
    Walk warmUp = new Walk(rates[rates.length - 1], direction);
    walk(List.of(warmUp), length.warmUp(), random.split(1));
    double[] common = warmUp.isAlive() ? warmUp.cocycle.coefficients() : direction;
    List<Walk> walks = new ArrayList<>();
    for (double rate : rates) {
      walks.add(new Walk(rate, common));
    }
    int parts = Math.min(threads, rates.length);
    List<List<Walk>> shares =
        IntStream.range(0, parts).mapToObj(p -> share(walks, p, parts)).toList();
    Parallel.run(
        shares,
        threads,
        share -> walk(share, length.dropped() + length.measured(), random.split(2)));
    return points(walks, length.dropped());
  }

  private static List<Walk> share(List<Walk> walks, int part, int parts) {
    return IntStream.range(0, walks.size())
        .filter(j -> j % parts == part)
        .mapToObj(walks::get)
        .toList();
  }

  private boolean hasResidual(double[] w) {
    double[] r = new double[w.length];
    gram.multiply(w, r);
    return Vectors.dot(r, r) > 0;
  }

  /** Takes all walks through the same batches, block by block, so that they share the rows of G. */
  private void walk(List<Walk> walks, int epochs, RandomStream random) {
    MiniBatchSampler sampler =
        new MiniBatchSampler(gram.examples(), step.batchSize(), step.sampling(), random);
    StepBlock block = new StepBlock(gram, step, walks.get(0).cocycle.hasMemory());
    walks.forEach(walk -> walk.prepare(block));
    double[][] coefficients =
        walks.stream().map(walk -> walk.response.coefficients()).toArray(double[][]::new);
    double[][] residuals =
        walks.stream().map(walk -> walk.cocycle.residual()).toArray(double[][]::new);
    for (int epoch = 0; epoch < epochs; epoch++) {
      if (cancelled.getAsBoolean() || Thread.currentThread().isInterrupted()) {
        throw new CancellationException("the search for the edge was cancelled");
      }
      for (int s = 0; s < stepsPerEpoch; s += block.steps()) {
        block.draw(sampler, stepsPerEpoch - s);
        if (block.hasMemory()) {
          walks.forEach(walk -> walk.takeWithMemory(block));
        } else {
          walks.forEach(walk -> walk.take(block));
          gram.addColumns(block.indices(), coefficients, block.rows(), residuals);
          walks.forEach(walk -> walk.follow(block));
        }
      }
      walks.forEach(Walk::endEpoch);
    }
  }

  private List<Point> points(List<Walk> walks, int dropped) {
    List<Point> points = new ArrayList<>();
    double above = 0;
    for (int j = walks.size() - 1; j >= 0; j--) {
      Walk walk = walks.get(j);
      double[] growth = walk.adjusted(dropped);
      double mean = Arrays.stream(growth).average().orElseThrow();
      above = Math.max(ControlledGrowth.error(growth), LEAST_SHARE * above);
      points.add(
          0,
          new Point(
              walk.rate,
              mean / stepsPerEpoch,
              INFLATION * above / stepsPerEpoch,
              walk.direction()));
    }
    return points;
  }

  /** One trajectory. */
  private final class Walk {
    private final double rate;
    private final Cocycle cocycle;
    private final boolean hasCovariate;
    private BlockResponse response;
    private final double share;
    private double[] growth = new double[64];
    private double[] covariate = new double[64];
    private int epochs;
    private int stride;
    private double ofNorm;
    private double logEnergy;
    private double increments;

    /** wᵀGw of the state as it is scaled now, and the largest since it was computed afresh. */
    private double energy;

    private double peak;

    Walk(double rate, double[] start) {
      this.rate = rate;
      cocycle = cocycles.apply(rate);
      hasCovariate = step.sampling().isIndependent();
      share = (double) step.batchSize() / gram.examples();
      if (!cocycle.start(start)) {
        throw new IllegalArgumentException(
            "a sweep needs a start with a component in the range of the Gram matrix");
      }
      logEnergy = Math.log(freshEnergy());
    }

    boolean isAlive() {
      return epochs == 0 || growth[epochs - 1] > LEAST_GROWTH;
    }

    Optional<Tangent> direction() {
      return isAlive() ? Optional.of(Tangent.of(cocycle.coefficients())) : Optional.empty();
    }

    void prepare(StepBlock block) {
      response = new BlockResponse(block);
    }

    /** All steps of a block, as far as their own rows tell. */
    void take(StepBlock block) {
      double norm = begin(block);
      int last = block.steps() - 1;
      for (int s = 0; s < last; s++) {
        observe(response.squares(s), norm);
        change(response.take(block, s, cocycle.factor(block.size(s))));
      }
      observe(response.squares(last), norm);
      change(response.takeLast(block, last, cocycle.factor(block.size(last))));
    }

    /** The rest, once the block is in the residual. */
    void follow(StepBlock block) {
      cocycle.follow(block, response.coefficients());
      change(response.end(block, cocycle.residual()));
      if (!(energy > STALE * peak)) {
        freshEnergy();
      }
      rescale(block);
    }

    void takeWithMemory(StepBlock block) {
      double norm = begin(block);
      observe(response.squares(0), norm);
      cocycle.apply(block.batch(), block.size(0));
      energy = cocycle.energy();
      rescale(block);
    }

    private double begin(StepBlock block) {
      double[] r = cocycle.residual();
      response.begin(block, r);
      return hasCovariate ? Vectors.dot(r, r) : 0;
    }

    private void change(double of) {
      energy += of;
      peak = Math.max(peak, energy);
    }

    private void rescale(StepBlock block) {
      stride += block.steps();
      if (stride >= LONGEST_STRIDE) {
        ofNorm += cocycle.normalise();
        freshEnergy();
        stride = 0;
      }
    }

    /** Σ_S r_i² and |r|² of one residual before the draw: that at the beginning of the block. */
    private void observe(double drawn, double norm) {
      double least = Math.max(energy, norm * leastEnergy);
      if (hasCovariate && least > 0) {
        increments += (drawn - share * norm) / least;
      }
    }

    void endEpoch() {
      if (epochs == growth.length) {
        growth = Arrays.copyOf(growth, 2 * epochs);
        covariate = Arrays.copyOf(covariate, 2 * epochs);
      }
      ofNorm += cocycle.normalise();
      if (ofNorm > LEAST_GROWTH && isAlive()) {
        double next = Math.log(freshEnergy());
        growth[epochs] = ofNorm + 0.5 * (next - logEnergy);
        covariate[epochs] = increments;
        logEnergy = next;
      } else {
        growth[epochs] = LEAST_GROWTH;
      }
      ofNorm = 0;
      stride = 0;
      increments = 0;
      epochs++;
    }

    /** wᵀGw; of a state of norm 1 it is at least one over the largest eigenvalue. */
    private double freshEnergy() {
      energy = cocycle.energy();
      peak = energy;
      return Math.max(energy, leastEnergy);
    }

    /** The growth of every epoch without what the covariate explains. */
    double[] adjusted(int dropped) {
      return ControlledGrowth.adjusted(
          Arrays.copyOfRange(growth, dropped, epochs),
          Arrays.copyOfRange(covariate, dropped, epochs));
    }
  }
}
