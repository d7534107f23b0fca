// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.gram.HessianSharpness;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.gram.NtkOperator;
import org.lyapunov4j.dl4j.gram.TopEigenpairs;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.stability.BatchSharpness;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.dataset.DataSet;

/**
 * The checkpoints of a run as curves: {@code iteration}, {@code probeLoss}, {@code lambda} with
 * {@code lambdaLow} and {@code lambdaHigh}, {@code lambdaSign} (−1, 0 where it is not decided, 1),
 * {@code lambdaBound} (1 where λ is only bounded and {@code lambda} is NaN), {@code mu}, {@code
 * sharpness}, {@code classicEdgeRatio}, {@code criticalRate}, {@code edgeRatio} with {@code
 * edgeRatioLow} and {@code edgeRatioHigh}, {@code meanSquareRatio} (η/η_ms), {@code residualRate}
 * (the mean growth of the residual over the horizon from here, if the Gram matrix stood still),
 * {@code batchSharpness} (mean of ratios), {@code batchSharpnessOfMeans} and, if asked for, the
 * sharpness of all examples: {@code hessian} and its Gauss–Newton part {@code gaussNewton}; NaN
 * where a checkpoint has no such number.
 */
final class CheckpointSeries implements AutoCloseable {
  /** How λ is estimated; part of a run's settings, so that results with another λ are not kept. */
  static final String EXPONENT = "of the slow and the unstable branch";

  /** Of the residuals; the errors of the eigenvalues are of second order in it. */
  private static final double TOLERANCE = 1e-2;

  private static final int MOST_PRODUCTS = 40;
  private static final int FEWEST_PRODUCTS = 8;

  /** Examples times parameters of all products of a checkpoint, some 12 flops each. */
  private static final double WORK = 2e10;

  private final Map<String, Double> values = new TreeMap<>();
  private final Map<String, List<Double>> series = new TreeMap<>();
  private final MultiLayerNetwork network;
  private final HessianSharpness hessian;
  private final NtkGram gram;
  private final int products;
  private TopEigenpairs lastOfHessian;
  private TopEigenpairs lastOfGram;

  /**
   * No checkpoints yet.
   *
   * @param network that is trained
   * @param examples of whose loss the Hessian is; null for no Hessian
   * @param probe of the checkpoints, all or some of the examples
   */
  CheckpointSeries(MultiLayerNetwork network, DataSet examples, DataSet probe) {
    this.network = network;
    hessian = examples == null ? null : HessianSharpness.of(network, examples.toMultiDataSet());
    boolean known = examples == null || probe.numExamples() == examples.numExamples();
    gram = known ? null : NtkGram.builder(network).probe(examples).matrixFree().build();
    products = examples == null ? 0 : products(network, examples);
  }

  /**
   * As many as a fixed amount of work allows. Few are no harm: an iteration starts from the
   * eigenvector of the last checkpoint and gives a lower bound.
   */
  private static int products(MultiLayerNetwork network, DataSet examples) {
    double affordable = WORK / ((double) network.numParams() * examples.numExamples());
    return (int) Math.max(FEWEST_PRODUCTS, Math.min(MOST_PRODUCTS, affordable));
  }

  /** The checkpoints so far. */
  Map<String, List<Double>> curves() {
    return series;
  }

  /** What the next sharpness starts from. */
  Map<String, TopEigenpairs> eigenpairs() {
    Map<String, TopEigenpairs> pairs = new TreeMap<>();
    Optional.ofNullable(lastOfHessian).ifPresent(last -> pairs.put("hessian", last));
    Optional.ofNullable(lastOfGram).ifPresent(last -> pairs.put("gaussNewton", last));
    return pairs;
  }

  /** Goes on after checkpoints of another process. */
  void resume(Map<String, List<Double>> curves, Map<String, TopEigenpairs> eigenpairs) {
    curves.forEach((name, values) -> series.put(name, new ArrayList<>(values)));
    lastOfGram = eigenpairs.get("gaussNewton");
    lastOfHessian = eigenpairs.get("hessian");
    if (hessian != null) {
      hessian.startFrom(lastOfHessian);
    }
  }

  void add(Checkpoint checkpoint) {
    StabilityReport stability = checkpoint.stability();
    if (hessian != null) {
      lastOfHessian = hessian.largest(network.params(), 1, TOLERANCE, products);
      add("hessian", lastOfHessian.eigenvalues().get(0));
      add("gaussNewton", gram == null ? stability.sharpness() : gaussNewton());
    }
    add("iteration", checkpoint.iteration());
    add("probeLoss", checkpoint.probeLoss());
    LyapunovExponent exponent = stability.exponent();
    add("lambda", exponent.point().orElse(Double.NaN));
    add("lambdaLow", exponent.low());
    add("lambdaHigh", exponent.high());
    add("lambdaSign", sign(exponent));
    add("lambdaBound", exponent instanceof ExponentBound ? 1 : 0);
    add("mu", stability.gdExponent().point().orElse(Double.NaN));
    add("sharpness", stability.sharpness());
    add("classicEdgeRatio", stability.classicEdgeRatio());
    addEdge(stability);
    add("meanSquareRatio", stability.meanSquareEdgeRatio().orElse(Double.NaN));
    add("residualRate", checkpoint.finiteTime().map(f -> f.mean().value()).orElse(Double.NaN));
    BatchSharpness batches = checkpoint.batchSharpness().orElseThrow();
    add("batchSharpness", batches.meanOfRatios().value());
    add("batchSharpnessOfMeans", batches.ratioOfMeans().value());
  }

  private void addEdge(StabilityReport stability) {
    Optional<CriticalLearningRate> edge = stability.criticalLearningRate();
    double rate = stability.step().learningRate();
    add("criticalRate", edge.map(CriticalLearningRate::value).orElse(Double.NaN));
    add("edgeRatio", stability.edgeRatio().orElse(Double.NaN));
    add("edgeRatioLow", edge.map(e -> rate / e.high()).orElse(Double.NaN));
    add("edgeRatioHigh", edge.map(e -> rate / e.low()).orElse(Double.NaN));
  }

  static double sign(LyapunovExponent exponent) {
    return switch (exponent.sign()) {
      case NEGATIVE -> -1;
      case UNDECIDED -> 0;
      case POSITIVE -> 1;
    };
  }

  /** κ_max(G)/N without G. */
  private double gaussNewton() {
    NtkOperator operator = gram.operator(network.params());
    lastOfGram =
        TopEigenpairs.of(
            operator::multiply,
            operator.size(),
            1,
            TOLERANCE,
            products,
            new RandomStream(1),
            lastOfGram);
    return lastOfGram.eigenvalues().get(0) / operator.examples();
  }

  private void add(String name, double value) {
    series.computeIfAbsent(name, key -> new ArrayList<>()).add(value);
  }

  void put(String name, double value) {
    values.put(name, value);
  }

  Measurements measurements() {
    Map<String, double[]> curves = new TreeMap<>();
    series.forEach(
        (name, curve) ->
            curves.put(name, curve.stream().mapToDouble(Double::doubleValue).toArray()));
    return new Measurements(values, curves);
  }

  @Override
  public void close() {
    if (hessian != null) {
      hessian.close();
    }
    if (gram != null) {
      gram.close();
    }
  }
}
