// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * What {@link RateSweep} measures, of tangent vectors in the space of the parameters: no matrix is
 * needed, and what belongs to a mini-batch is read once for all learning rates. Lengths are in
 * blocks of {@value #BLOCK} steps, not in epochs, which are long for the many examples this is for.
 *
 * <p>Immutable; a sweep is a function of its arguments, whatever the number of threads. It keeps
 * one vector of P numbers for each rate.
 */
public final class ParameterSweep {
  /** Steps of a block. */
  public static final int BLOCK = ParameterWalk.BLOCK;

  private final TangentOperator operator;
  private final TangentGram gram;
  private final TangentGram ofOneThread;
  private final SgdStep step;
  private final int threads;
  private final BooleanSupplier cancelled;

  /**
   * Sweeps of one operator and one kind of step.
   *
   * @param operator J ≠ 0
   * @param step the step; its learning rate does not matter
   * @param threads at least 1; never changes a result
   * @param cancelled asked every block, from several threads; true to stop
   */
  public ParameterSweep(
      TangentOperator operator, SgdStep step, int threads, BooleanSupplier cancelled) {
    this.operator = Objects.requireNonNull(operator, "operator");
    this.step = Objects.requireNonNull(step, "step");
    this.threads = threads;
    this.cancelled = Objects.requireNonNull(cancelled, "cancelled");
    gram = new TangentGram(operator, threads, cancelled);
    ofOneThread = new TangentGram(operator, 1, cancelled);
  }

  /**
   * One sweep.
   *
   * @param rates learning rates, ascending
   * @param start a tangent vector in the range of Jᵀ to start from; a random one if it is empty
   * @param length how long, in blocks
   * @param random of the start and the mini-batches; only split, so that equal streams give equal
   *     sweeps
   * @return as many points, in the order of the rates; their directions are tangent vectors
   * @throws CancellationException if cancelled
   */
  public List<RateSweep.Point> run(
      double[] rates, Optional<Tangent> start, RateSweep.Length length, RandomStream random) {
    double[] direction =
        start.map(Tangent::toArray).orElseGet(() -> randomDirection(gram, random.split(0)));
    ParameterWalk warmUp = walk(rates[rates.length - 1], direction, new double[0]);
    walk(List.of(warmUp), length.warmUp(), random.split(1));
    double[] common = warmUp.isAlive() ? warmUp.tangent() : direction;
    double[] curvatures = ParameterWalk.curvatures(gram, common);
    List<ParameterWalk> walks =
        Arrays.stream(rates).mapToObj(rate -> walk(rate, common, curvatures)).toList();
    int parts = Math.min(threads, rates.length);
    List<List<ParameterWalk>> shares =
        IntStream.range(0, parts).mapToObj(p -> share(walks, p, parts)).toList();
    Parallel.run(
        shares,
        threads,
        share -> walk(share, length.dropped() + length.measured(), random.split(2)));
    return points(rates, walks, length.dropped());
  }

  /** Jᵀ of Gaussian numbers. */
  static double[] randomDirection(TangentGram gram, RandomStream random) {
    return gram.gradient(random.gaussians(gram.size()));
  }

  private ParameterWalk walk(double rate, double[] start, double[] curvatures) {
    return new ParameterWalk(operator, ofOneThread, step.withLearningRate(rate), start, curvatures);
  }

  private static List<ParameterWalk> share(List<ParameterWalk> walks, int part, int parts) {
    return IntStream.range(0, walks.size())
        .filter(j -> j % parts == part)
        .mapToObj(walks::get)
        .toList();
  }

  /** Takes all walks through the same batches, step by step. */
  private void walk(List<ParameterWalk> walks, int blocks, RandomStream random) {
    walk(operator, step, walks, blocks, sampler(operator, step, random), cancelled);
  }

  static MiniBatchSampler sampler(TangentOperator operator, SgdStep step, RandomStream random) {
    return new MiniBatchSampler(operator.examples(), step.batchSize(), step.sampling(), random);
  }

  static void walk(
      TangentOperator operator,
      SgdStep step,
      List<ParameterWalk> walks,
      int blocks,
      MiniBatchSampler sampler,
      BooleanSupplier cancelled) {
    TangentOperator.Products products = operator.products(step.batchSize());
    int[] batch = new int[step.batchSize()];
    for (int block = 0; block < blocks; block++) {
      TangentGram.requireGoingOn(cancelled);
      for (int s = 0; s < BLOCK; s++) {
        int size = sampler.next(batch);
        products.select(batch, size);
        ParameterWalk.step(walks, products, batch, size);
      }
      walks.forEach(ParameterWalk::endBlock);
    }
  }

  private static List<RateSweep.Point> points(
      double[] rates, List<ParameterWalk> walks, int dropped) {
    List<RateSweep.Point> points = new ArrayList<>();
    double above = 0;
    for (int j = walks.size() - 1; j >= 0; j--) {
      double[] growth = walks.get(j).adjusted(dropped);
      double mean = Arrays.stream(growth).average().orElseThrow();
      above = Math.max(ControlledGrowth.error(growth), RateSweep.LEAST_SHARE * above);
      points.add(
          0,
          new RateSweep.Point(
              rates[j],
              mean / BLOCK,
              RateSweep.INFLATION * above / BLOCK,
              walks.get(j).direction()));
    }
    return points;
  }
}
