// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/** The counters of a model's configuration, which {@link Model} does not have. */
final class ModelCounters {
  private ModelCounters() {}

  static int epoch(Model model) {
    if (model instanceof MultiLayerNetwork network) {
      return network.getEpochCount();
    }
    return model instanceof ComputationGraph graph ? graph.getConfiguration().getEpochCount() : 0;
  }

  static int iteration(Model model) {
    if (model instanceof MultiLayerNetwork network) {
      return network.getIterationCount();
    }
    return model instanceof ComputationGraph graph
        ? graph.getConfiguration().getIterationCount()
        : 0;
  }
}
