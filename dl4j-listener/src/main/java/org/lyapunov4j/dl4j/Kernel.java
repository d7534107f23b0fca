// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.gram.FactorSweep;
import org.lyapunov4j.dl4j.gram.FixedNorms;
import org.lyapunov4j.dl4j.gram.NtkFactors;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.gram.NtkGramResult;
import org.lyapunov4j.dl4j.gram.NtkOperator;
import org.lyapunov4j.dl4j.gram.UnsupportedModelException;
import org.lyapunov4j.dl4j.gram.Weighting;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.dl4j.step.NormalisedGradient;
import org.lyapunov4j.dl4j.step.ParameterGroups;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The Gram matrix of a model on a probe, or the next best: the factors of a matrix that is too
 * large, products with it for segments of series, the plain kernel of a loss without curvature,
 * nothing of a model that ends in no loss.
 */
final class Kernel implements AutoCloseable {
  private static final Level NOT_PROJECTED =
      new Level.Observed(
          "weights are at their largest norm, for which a matrix in factors is not made",
          "use fewer examples, so that the matrix fits, or train without constraints");

  private static final double TOLERANCE = 1e-6;
  private static final int MOST_PRODUCTS = 200;

  /** With groups an analysis decomposes their parts too and takes two to three times as long. */
  private static final int MOST_ROWS_OF_GROUPS = 2048;

  private final NtkGram ntk;
  private final FactorSweep sweep;
  private final Form form;
  private final Level level;
  private final Segments segments;

  private enum Form {
    MATRIX,
    FACTORS,
    PRODUCTS,
    PLAIN,
    NONE
  }

  private Kernel(NtkGram ntk, Form form, Level level, Segments segments) {
    this(ntk, null, form, level, segments);
  }

  private Kernel(NtkGram ntk, FactorSweep sweep, Form form, Level level, Segments segments) {
    this.ntk = ntk;
    this.sweep = sweep;
    this.form = form;
    this.level = level.and(segments.level());
    this.segments = segments;
  }

  /**
   * What was computed.
   *
   * @param matrix the Gram matrix with what goes with it, curvature-weighted or plain
   * @param factors of a matrix that is too large to be formed
   * @param sharpness κ_max/N where there are products alone
   * @param level what the loss and the size of the model leave of the step's level
   */
  record Result(
      Optional<Matrix> matrix,
      Optional<NtkFactors> factors,
      OptionalDouble sharpness,
      Level level) {
    private Result(Optional<Matrix> matrix, OptionalDouble sharpness, Level level) {
      this(matrix, Optional.empty(), sharpness, level);
    }

    /** Mean loss of the probe; NaN where it was not computed. */
    double loss() {
      return matrix.map(Matrix::loss).or(() -> factors.map(NtkFactors::loss)).orElse(Double.NaN);
    }

    /** A sentence each. */
    List<String> assumptions() {
      return matrix
          .map(Matrix::assumptions)
          .or(() -> factors.map(NtkFactors::assumptions))
          .orElse(List.of());
    }
  }

  /** A Gram matrix of the examples that a step draws from, with what goes with it. */
  static final class Matrix {
    private final GramMatrix gram;
    private final Optional<GroupedGram> grouped;
    private final double[] residuals;
    private final double loss;
    private final List<String> assumptions;

    Matrix(
        GramMatrix gram,
        Optional<GroupedGram> grouped,
        double[] residuals,
        double loss,
        List<String> assumptions) {
      this.gram = gram;
      this.grouped = grouped;
      this.residuals = residuals;
      this.loss = loss;
      this.assumptions = List.copyOf(assumptions);
    }

    GramMatrix gram() {
      return gram;
    }

    /** With its parts, where parameters move in groups. */
    Optional<GroupedGram> grouped() {
      return grouped;
    }

    /** In the order of the rows; not to be modified. */
    double[] residuals() {
      return residuals;
    }

    /** Mean over all of the probe. */
    double loss() {
      return loss;
    }

    /** A sentence each. */
    List<String> assumptions() {
      return assumptions;
    }
  }

  /**
   * A kernel.
   *
   * @param strict whether a model that has no Gram matrix is refused
   * @throws UnsupportedModelException if strict
   * @throws IllegalArgumentException if the probe does not fit the model
   */
  static Kernel of(Model model, MultiDataSet whole, BooleanSupplier cancelled, boolean strict) {
    Segments segments = Segments.of(model, whole);
    MultiDataSet probe = segments.of(whole);
    try {
      NtkGram ntk = builder(model, probe, cancelled).build();
      return new Kernel(ntk, Form.MATRIX, Level.exact(), segments);
    } catch (UnsupportedModelException refusal) {
      if (refusal.isOfSize() && !segments.isCut()) {
        long budget = Runtime.getRuntime().maxMemory() / 2;
        FactorSweep sweep = FactorSweep.of(model, probe, budget, cancelled);
        return new Kernel(null, sweep, Form.FACTORS, Level.exact(), segments);
      }
      if (strict) {
        throw refusal;
      }
      return nextBest(builder(model, probe, cancelled), refusal, segments);
    }
  }

  private static NtkGram.Builder builder(
      Model model, MultiDataSet probe, BooleanSupplier cancelled) {
    // Nobody reads the certificate of a checkpoint, so no row is checked at each of them.
    return NtkGram.builder(model).probe(probe).spotChecks(0).cancelled(cancelled);
  }

  private static Kernel nextBest(
      NtkGram.Builder builder, UnsupportedModelException refusal, Segments segments) {
    Level level = observed(refusal);
    try {
      return refusal.isOfSize()
          ? new Kernel(builder.matrixFree().build(), Form.PRODUCTS, level, segments)
          : new Kernel(builder.weighting(Weighting.PLAIN).build(), Form.PLAIN, level, segments);
    } catch (UnsupportedModelException neither) {
      return new Kernel(null, Form.NONE, level, segments);
    }
  }

  private static Level observed(UnsupportedModelException refusal) {
    return new Level.Observed(refusal.reason(), refusal.remedy());
  }

  /** The level of the model with mini-batches of a size, before anything is computed. */
  Level level(int batchSize) {
    if (sweep != null) {
      return level.and(
          InferenceMode.level(sweep.simplifications(), sweep.statisticsPerExample(), batchSize));
    }
    return ntk == null
        ? level
        : level.and(
            InferenceMode.level(ntk.simplifications(), ntk.statisticsPerExample(), batchSize));
  }

  /** The step as far as its groups of parameters can be told apart here. */
  TrainingStep of(TrainingStep step) {
    boolean apart =
        form == Form.MATRIX
            && !segments.isCut()
            && (long) ntk.examples() * ntk.outputs() <= MOST_ROWS_OF_GROUPS;
    return apart ? step : step.withoutGroups();
  }

  /** K, 0 if there is no matrix of outputs. */
  int outputs() {
    return sweep != null ? sweep.outputs() : ntk == null ? 0 : ntk.outputs();
  }

  /** Bytes of the factors that take the place of a matrix; empty where they do not. */
  OptionalLong factorBytes() {
    return sweep == null ? OptionalLong.empty() : OptionalLong.of(sweep.bytes());
  }

  /** Bytes of an entry of the matrix; 0 if there is none. */
  int entryBytes() {
    if (ntk == null || form == Form.PRODUCTS) {
      return 0;
    }
    return ntk.isSinglePrecision() ? Float.BYTES : Double.BYTES;
  }

  /** What computes the Gram matrix; null if there is none. */
  NtkGram ntk() {
    return ntk;
  }

  /** The step as it is taken on the examples of the matrix. */
  SgdStep of(SgdStep step, GramMatrix gram) {
    return segments.of(step, gram.examples());
  }

  /** Whether the matrix, if there is one, has the curvature of the loss in it. */
  boolean isCurved() {
    return form == Form.MATRIX;
  }

  /**
   * Computes it.
   *
   * @param parameterWeights weights of the parameters, or null; not used for the plain kernel
   * @param fixedNorms the weight vectors that a step holds at their largest norm, or null; neither
   * @param batchSize B, by which segments of series are ordered
   * @param groups the groups of parameters, if they are told apart
   */
  Result compute(
      INDArray parameters,
      INDArray parameterWeights,
      FixedNorms fixedNorms,
      int batchSize,
      Optional<ParameterGroups> groups) {
    try {
      return switch (form) {
        case MATRIX ->
            matrix(
                fixedNorms != null
                    ? ntk.compute(parameters, parameterWeights, fixedNorms)
                    : ntk.compute(
                        parameters,
                        parameterWeights,
                        groups.map(known -> numbers(known, parameters.length())).orElse(null)),
                batchSize);
        case FACTORS ->
            fixedNorms != null
                ? new Result(Optional.empty(), OptionalDouble.empty(), NOT_PROJECTED)
                : factors(sweep.compute(parameters, parameterWeights), batchSize);
        case PLAIN -> matrix(ntk.compute(parameters), batchSize);
        case PRODUCTS -> products(ntk.operator(parameters), level(batchSize));
        case NONE -> new Result(Optional.empty(), OptionalDouble.empty(), level(batchSize));
      };
    } catch (UnsupportedModelException tooLarge) {
      return new Result(Optional.empty(), OptionalDouble.empty(), observed(tooLarge));
    }
  }

  /** The number of the group of each parameter; what does not move has no weight and any number. */
  private static INDArray numbers(ParameterGroups groups, long length) {
    float[] numbers = new float[(int) length];
    for (ParameterGroups.Range range : groups.ranges()) {
      Arrays.fill(numbers, (int) range.from(), (int) range.to(), range.group());
    }
    return Nd4j.createFromArray(numbers);
  }

  /**
   * The mean of 1/‖g‖ over batches of what is normalised together.
   *
   * @param batches the examples of each
   */
  double[] inverseNorms(
      INDArray parameters, List<NormalisedGradient> normalised, List<int[]> batches) {
    double[] inverse = new double[normalised.size()];
    for (double[] gradient : ntk.gradients(parameters, segments.of(batches))) {
      for (int l = 0; l < inverse.length; l++) {
        inverse[l] += 1 / normalised.get(l).norm(gradient) / batches.size();
      }
    }
    return inverse;
  }

  private Result matrix(NtkGramResult result, int batchSize) {
    return new Result(
        Optional.of(segments.ordered(result, batchSize)),
        OptionalDouble.empty(),
        level(batchSize).and(curvature(result.droppedCurvature())));
  }

  private Result factors(NtkFactors factors, int batchSize) {
    return new Result(
        Optional.empty(),
        Optional.of(factors),
        OptionalDouble.empty(),
        level(batchSize).and(curvature(factors.droppedCurvature())));
  }

  private static Level curvature(double dropped) {
    return dropped == 0
        ? Level.exact()
        : new Level.Approximate(
            "the negative part of the loss curvature is left out",
            String.format(
                java.util.Locale.ROOT, "up to %.2g of the largest at an example", dropped));
  }

  private static Result products(NtkOperator operator, Level level) {
    double[] start = new RandomStream(1).gaussians(operator.size());
    double largest =
        LargestEigenpair.of(
                (x, y) -> System.arraycopy(operator.multiply(x), 0, y, 0, y.length),
                start,
                TOLERANCE,
                MOST_PRODUCTS)
            .value();
    return new Result(
        Optional.empty(), OptionalDouble.of(Math.max(0, largest) / operator.examples()), level);
  }

  @Override
  public void close() {
    if (sweep != null) {
      sweep.close();
    }
    if (ntk != null) {
      ntk.close();
    }
  }
}
