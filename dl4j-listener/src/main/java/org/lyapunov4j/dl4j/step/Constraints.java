// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.LayerConstraint;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What is done to the parameters of a layer after a step. The largest norm of a unit's weights,
 * where it is not near, multiplies them with ‖w‖/(‖w‖ + 1e-6) alone, which is left out.
 */
final class Constraints {
  /** What was projected has a norm below the largest by 1e-6 of it. */
  private static final double REACH = 0.99;

  private Constraints() {}

  /** The level of a step with the constraints of a layer; refuses those that change it. */
  static Level of(Layer layer, String name) {
    List<LayerConstraint> constraints = layer.conf().getLayer().getConstraints();
    Level level = Level.exact();
    for (LayerConstraint constraint :
        constraints == null ? List.<LayerConstraint>of() : constraints) {
      if (!(constraint instanceof MaxNormConstraint norm)) {
        throw refusal(constraint, name, "it projects the parameters after the step");
      }
      level = level.and(of(norm, layer, name));
    }
    return level;
  }

  private static Level of(MaxNormConstraint constraint, Layer layer, String name) {
    double smallest = Double.POSITIVE_INFINITY;
    for (String parameter : constraint.getParams()) {
      INDArray array = layer.paramTable().get(parameter);
      if (array != null) {
        INDArray norms = array.norm2(constraint.getDimensions());
        if (!(norms.maxNumber().doubleValue() <= REACH * constraint.getMaxNorm())) {
          throw refusal(
              constraint,
              name,
              String.format(
                  Locale.ROOT,
                  "it is reached, by weights of norm %.3g, and it projects the parameters after"
                      + " the step",
                  norms.maxNumber().doubleValue()));
        }
        smallest = Math.min(smallest, norms.minNumber().doubleValue());
      }
    }
    return new Level.Approximate(
        "a largest norm of weights is not reached",
        String.format(
            Locale.ROOT,
            "Deeplearning4j still shrinks them by up to %.1g of themselves a step, which is left"
                + " out",
            constraint.getEpsilon() / (smallest + constraint.getEpsilon())));
  }

  private static UnsupportedTrainingException refusal(
      LayerConstraint constraint, String name, String reason) {
    return new UnsupportedTrainingException(
        "The constraint " + constraint.getClass().getSimpleName() + " of " + name,
        reason,
        "train without constraints");
  }
}
