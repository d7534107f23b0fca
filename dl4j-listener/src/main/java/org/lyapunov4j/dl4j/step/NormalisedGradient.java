// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.lyapunov4j.dl4j.step.GradientFactors.Factored;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A part of the flat gradient that Deeplearning4j divides by its Euclidean norm before the updater
 * sees it.
 *
 * @param name of the layer, with the parameter where each has a norm of its own
 * @param from its first parameter in the order of the flat parameters
 * @param to behind its last
 */
public record NormalisedGradient(String name, long from, long to) {
  /** Deeplearning4j's norm of a gradient that vanishes. */
  private static final double OF_ZERO = 1e-5;

  static List<NormalisedGradient> of(List<Factored> parts, long origin) {
    List<NormalisedGradient> found = new ArrayList<>();
    for (Factored part : parts) {
      if (part.part().numParams() == 0 || StepReader.isFrozen(part.part())) {
        continue;
      }
      GradientNormalization kind = part.part().getConfig().getGradientNormalization();
      Map<String, INDArray> table = part.part().paramTable(false);
      INDArray all = part.part().params();
      long base = all.offset() - origin;
      if (kind == GradientNormalization.RenormalizeL2PerLayer) {
        found.add(new NormalisedGradient(part.name(), base, base + all.length()));
      } else if (kind == GradientNormalization.RenormalizeL2PerParamType) {
        table.forEach(
            (name, array) ->
                found.add(
                    new NormalisedGradient(
                        name + " of " + part.name(),
                        array.offset() - origin,
                        array.offset() - origin + array.length())));
      }
    }
    return found;
  }

  /**
   * The norm of this part.
   *
   * @param gradient flat
   * @return what Deeplearning4j divides by
   */
  public double norm(double[] gradient) {
    double square = 0;
    for (int p = Math.toIntExact(from); p < to; p++) {
      square += gradient[p] * gradient[p];
    }
    return square == 0 ? OF_ZERO : Math.sqrt(square);
  }
}
