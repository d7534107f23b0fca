// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/** The epoch counter, which {@link Model} does not have. */
final class Epochs {
  private Epochs() {}

  static int of(Model model) {
    if (model instanceof MultiLayerNetwork network) {
      return network.getEpochCount();
    }
    return model instanceof ComputationGraph graph ? graph.getConfiguration().getEpochCount() : 0;
  }
}
