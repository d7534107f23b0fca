// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.OptionalDouble;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the learning rate at a fraction of the critical one, η_c: an {@link Intervention}, which
 * changes training.
 *
 * <p>It acts at checkpoints that know η_c and not only a gauge of it, those of tier {@code
 * STANDARD} or {@code FULL}, and sets all layers' rates to the same multiple of what they are.
 * Deeplearning4j then forgets their learning-rate schedules; the updater's state stays.
 */
public final class LearningRateControl implements Intervention {
  private static final Logger log = LoggerFactory.getLogger(LearningRateControl.class);

  private final double fraction;
  private final boolean raises;

  private LearningRateControl(double fraction, boolean raises) {
    if (!(fraction > 0 && fraction < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "the fraction of the critical learning rate must be positive and finite, got "
              + fraction
              + "; 0.8 stays below the edge");
    }
    this.fraction = fraction;
    this.raises = raises;
  }

  /**
   * Lowers the rate to a fraction of η_c where it is above, and never raises it.
   *
   * @param fraction positive; below 1 stays in the stable phase
   * @return the intervention
   */
  public static LearningRateControl lowerTo(double fraction) {
    return new LearningRateControl(fraction, false);
  }

  /**
   * Holds the rate at a fraction of η_c, raising it too. Early in training η_c may fall severalfold
   * within a few steps, and training at a rate that was raised to it may diverge; {@link #lowerTo}
   * cannot cause that.
   *
   * @param fraction positive; below 1 stays in the stable phase
   * @return the intervention
   */
  public static LearningRateControl holdAt(double fraction) {
    return new LearningRateControl(fraction, true);
  }

  @Override
  public void apply(Model model, Checkpoint checkpoint) {
    if (!checkpoint.hasStability() || checkpoint.step().warmUp().isPresent()) {
      return;
    }
    OptionalDouble ratio = checkpoint.stability().edgeRatio();
    if (ratio.isEmpty() || !(ratio.getAsDouble() > 0)) {
      return;
    }
    double factor = fraction / ratio.getAsDouble();
    if (factor < 1 || (raises && factor > 1)) {
      log.info(
          "{}, iteration {}: learning rate times {}, to {} of the critical one",
          checkpoint.run(),
          checkpoint.iteration(),
          factor,
          fraction);
      scale(model, factor);
    }
  }

  private static void scale(Model model, double factor) {
    if (model instanceof MultiLayerNetwork network) {
      for (int layer = 0; layer < network.getnLayers(); layer++) {
        if (isTrained(network.getLayer(layer))) {
          network.setLearningRate(layer, factor * network.getLearningRate(layer));
        }
      }
    } else if (model instanceof ComputationGraph graph) {
      for (org.deeplearning4j.nn.api.Layer layer : graph.getLayers()) {
        if (isTrained(layer)) {
          String name = layer.conf().getLayer().getLayerName();
          graph.setLearningRate(name, factor * graph.getLearningRate(name));
        }
      }
    }
  }

  private static boolean isTrained(org.deeplearning4j.nn.api.Layer layer) {
    return layer.numParams() > 0
        && !(layer instanceof FrozenLayer)
        && !(layer instanceof FrozenLayerWithBackprop);
  }

  @Override
  public String toString() {
    return (raises ? "hold at " : "lower to ") + fraction + " of the critical learning rate";
  }
}
