// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.LayerConstraint;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.lyapunov4j.dl4j.gram.FixedNorms;
import org.lyapunov4j.dl4j.step.GradientFactors.Factored;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What is done to the parameters of a model after a step, once listeners have seen them: largest
 * norms max of vectors w of weights. Where ‖w‖ ≥ max the step is followed by w ↦ max·w/(‖w‖ + ε),
 * whose derivative is (max/‖w‖)(I − ŵŵᵀ); elsewhere by w ↦ ‖w‖·w/(‖w‖ + ε), which is taken for w.
 * Deeplearning4j 1.0.0-M2.1 does it twice a step.
 */
final class Constraints {
  /** Below it a step is not likely to reach the largest norm. */
  private static final double NEAR = 0.99;

  /** Sharpness with all vectors free over that with those held, in training: 1.1 to 1.5. */
  private static final double SWITCHING = 2;

  /** Of a norm in float. */
  private static final double ROUNDING = 1e-6;

  private final List<Constrained> all;

  private Constraints(List<Constrained> all) {
    this.all = all;
  }

  /** A parameter array with a largest norm for each of its vectors. */
  private record Constrained(
      MaxNormConstraint constraint, INDArray array, String parameter, String layer) {
    INDArray norms() {
      return array.castTo(DataType.DOUBLE).norm2(true, constraint.getDimensions());
    }

    /** A step leaves what it projects below the largest norm by no more than 2ε. */
    double reached() {
      double largest = constraint.getMaxNorm();
      return largest * (1 - ROUNDING) - 2 * constraint.getEpsilon();
    }

    boolean isReached() {
      return norms().maxNumber().doubleValue() >= reached();
    }

    UnsupportedTrainingException refusal(String reason, String remedy) {
      return refuse(constraint, layer, reason, remedy);
    }
  }

  /** Those of the trained layers of a model; refuses what is no largest norm. */
  static Constraints of(List<Factored> parts) {
    List<Constrained> all = new ArrayList<>();
    for (Factored part : parts) {
      if (part.part() instanceof Layer layer && !StepReader.isFrozen(layer)) {
        List<LayerConstraint> own = layer.conf().getLayer().getConstraints();
        for (LayerConstraint constraint : own == null ? List.<LayerConstraint>of() : own) {
          if (!(constraint instanceof MaxNormConstraint norm)) {
            throw refuse(
                constraint,
                part.name(),
                "it projects the parameters after the step",
                "train without constraints, or with a largest norm");
          }
          for (String parameter : norm.getParams()) {
            INDArray array = layer.paramTable().get(parameter);
            if (array != null) {
              add(all, new Constrained(norm, array, parameter + " of " + part.name(), part.name()));
            }
          }
        }
      }
    }
    return new Constraints(all);
  }

  private static void add(List<Constrained> all, Constrained next) {
    if (all.stream().anyMatch(other -> other.parameter().equals(next.parameter()))) {
      throw next.refusal("there are two for " + next.parameter(), "keep one of them");
    }
    all.add(next);
  }

  private static UnsupportedTrainingException refuse(
      LayerConstraint constraint, String layer, String reason, String remedy) {
    return new UnsupportedTrainingException(
        "The constraint " + constraint.getClass().getSimpleName() + " of " + layer, reason, remedy);
  }

  /**
   * Refuses largest norms that are reached beside what does not commute with the projection, the
   * preconditioner of an adaptive updater, or works against it, a decay of what is projected.
   */
  void requireProjectable(List<ParameterRule> rules) {
    for (Constrained constrained : all) {
      if (constrained.isReached()) {
        for (ParameterRule rule : rules) {
          if (rule.updater().isAdaptive()) {
            throw constrained.refusal(
                "it is reached, and the projection after the step does not commute with the"
                    + " preconditioner of "
                    + rule.updaterName(),
                "train with Sgd or Nesterovs, or without constraints");
          }
          if (rule.name().equals(constrained.parameter()) && (rule.decays() || rule.l1() != 0)) {
            throw constrained.refusal(
                "it is reached by weights that also decay, so that a step need not project them",
                "train without l1, l2 and weight decay there, or without constraints");
          }
        }
      }
    }
  }

  /** Refuses largest norms that are reached where something else is not told apart with them. */
  void requireNoneReached(String where) {
    for (Constrained constrained : all) {
      if (constrained.isReached()) {
        throw constrained.refusal(
            "it is reached where " + where + ", and both are not taken together here",
            "give all trainable parameters one decay and one momentum, or train without"
                + " constraints");
      }
    }
  }

  /** The vectors that the next projections keep at their largest norm; empty if there are none. */
  Optional<FixedNorms> fixed(INDArray parameters) {
    if (all.stream().noneMatch(Constrained::isReached)) {
      return Optional.empty();
    }
    INDArray numbers = Nd4j.zeros(DataType.DOUBLE, parameters.length());
    int count = 0;
    for (Constrained constrained : all) {
      INDArray norms = constrained.norms();
      double[] flat = norms.dup('c').data().asDouble();
      for (int u = 0; u < flat.length; u++) {
        flat[u] = flat[u] >= constrained.reached() ? ++count : 0;
      }
      INDArray array = constrained.array();
      Nd4j.create(
              numbers.data(),
              array.shape(),
              array.stride(),
              array.offset() - parameters.offset(),
              array.ordering(),
              DataType.DOUBLE)
          .assign(Nd4j.createFromArray(flat).reshape('c', norms.shape()).broadcast(array.shape()));
    }
    return Optional.of(FixedNorms.of(numbers.castTo(DataType.INT32).data().asInt()));
  }

  /** What is left out of the linearised step. */
  Level level() {
    if (all.isEmpty()) {
      return Level.exact();
    }
    int vectors = 0;
    int reached = 0;
    int near = 0;
    double smallest = Double.POSITIVE_INFINITY;
    for (Constrained constrained : all) {
      for (double norm : constrained.norms().dup('c').data().asDouble()) {
        vectors++;
        if (norm >= constrained.reached()) {
          reached++;
        } else if (!(norm < NEAR * constrained.constraint().getMaxNorm())) {
          near++;
        }
        smallest = Math.min(smallest, norm);
      }
    }
    double epsilon = 2 * all.get(0).constraint().getEpsilon();
    return reached + near == 0
        ? free(epsilon / (smallest + epsilon))
        : held(vectors, reached, near);
  }

  private static Level free(double shrinking) {
    return new Level.Approximate(
        "a largest norm of weights is not reached",
        String.format(
            Locale.ROOT,
            "Deeplearning4j still shrinks them by up to %.1g of themselves a step, which is left"
                + " out",
            shrinking));
  }

  private static Level held(int vectors, int reached, int near) {
    String held =
        String.format(
            Locale.ROOT, "%d of %d weight vectors stay at their largest norm", reached, vectors);
    return near == 0
        ? new Level.Approximate(
            held,
            "exact to first order in the outward push of a step; one that a step pushes inward is"
                + " free in it")
        : new Level.Approximate(
            String.format(
                Locale.ROOT,
                "%s, %d within 1 %% of it %s taken to be free",
                held,
                near,
                near == 1 ? "is" : "are"),
            "they may change places at every step: the edge ratio is a gauge, right within a factor"
                + " of 2 where that was measured",
            SWITCHING);
  }
}
