// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.layers.samediff.AbstractSameDiffLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffOutputLayer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.VertexIndices;
import org.deeplearning4j.nn.layers.samediff.SameDiffGraphVertex;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/**
 * What Deeplearning4j's gradients are of the true ones. Its layers and vertices defined by SameDiff
 * return, in 1.0.0-M2.1, exactly twice the gradient of their own parameters and of their inputs, so
 * that what lies below k of them is trained with 2ᵏ times the gradient.
 */
final class GradientFactors {
  private GradientFactors() {}

  /**
   * A part of a model that can have parameters.
   *
   * @param part a layer or a vertex
   * @param name for messages
   * @param factor of its gradient; NaN where paths of different factors come together
   */
  record Factored(Trainable part, String name, double factor) {}

  static List<Factored> of(MultiLayerNetwork network) {
    Layer[] layers = network.getLayers();
    List<Factored> parts = new ArrayList<>();
    double factor = 1;
    for (int i = layers.length - 1; i >= 0; i--) {
      factor *= ownFactor(layers[i]);
      parts.add(0, new Factored(layers[i], describe(layers[i]), factor));
    }
    return parts;
  }

  static List<Factored> of(ComputationGraph graph) {
    Map<Integer, Double> arriving = new HashMap<>();
    List<Factored> parts = new ArrayList<>();
    int[] order = graph.topologicalSortOrder();
    for (int i = order.length - 1; i >= 0; i--) {
      GraphVertex vertex = graph.getVertices()[order[i]];
      if (vertex.isInputVertex()) {
        continue;
      }
      if (graph.getConfiguration().getNetworkOutputs().contains(vertex.getVertexName())) {
        meet(arriving, order[i], 1);
      }
      double factor = arriving.getOrDefault(order[i], 1.0) * ownFactor(vertex);
      for (VertexIndices below : vertex.getInputVertices()) {
        meet(arriving, below.getVertexIndex(), factor);
      }
      parts.add(
          0,
          vertex.hasLayer()
              ? new Factored(vertex.getLayer(), describe(vertex.getLayer()), factor)
              : new Factored(vertex, "vertex '" + vertex.getVertexName() + "'", factor));
    }
    return parts;
  }

  private static void meet(Map<Integer, Double> arriving, int vertex, double factor) {
    arriving.merge(vertex, factor, (one, other) -> one.equals(other) ? one : Double.NaN);
  }

  private static double ownFactor(GraphVertex vertex) {
    return vertex.hasLayer()
        ? ownFactor(vertex.getLayer())
        : vertex instanceof SameDiffGraphVertex ? 2 : 1;
  }

  private static double ownFactor(Layer layer) {
    var conf = layer.conf().getLayer();
    while (conf instanceof BaseWrapperLayer wrapper) {
      conf = wrapper.getUnderlying();
    }
    return conf instanceof AbstractSameDiffLayer && !(conf instanceof SameDiffOutputLayer) ? 2 : 1;
  }

  private static String describe(Layer layer) {
    String type = layer.conf().getLayer().getClass().getSimpleName();
    String name = layer.conf().getLayer().getLayerName();
    return name == null ? type + " " + layer.getIndex() : type + " '" + name + "'";
  }
}
