// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A private copy of a model, as a list of nodes in topological order. It shares no array with the
 * model, draws no random number, has no listener and opens no workspace; dropout and weight noise
 * are taken out of it.
 */
final class Replica implements AutoCloseable {
  private final INDArray parameters;
  private final List<Node> nodes;
  private final List<Output> outputs;
  private final List<String> assumptions;

  private Replica(INDArray parameters, ReplicaBuilder built, Noise noise) {
    this.parameters = parameters;
    nodes = List.copyOf(built.nodes());
    outputs = List.copyOf(built.outputs());
    assumptions = noise.assumptions();
  }

  /** A replica of a model for a probe set; refuses what has no rule by name, reason and remedy. */
  static Replica of(Model live, Probe probe, GramMethod method) {
    Noise noise = new Noise();
    Model model = copy(live, probe, noise);
    ReplicaBuilder built = new ReplicaBuilder(probe, method);
    if (model instanceof MultiLayerNetwork network) {
      network.setLayerMaskArrays(probe.featuresMask(), probe.labelsMask());
      built.addAll(network);
    } else {
      ComputationGraph graph = (ComputationGraph) model;
      graph.setInputs(probe.features());
      graph.setLayerMaskArrays(probe.featuresMasks(), probe.labelsMasks());
      built.addAll(graph);
    }
    return new Replica(model.params(), built, noise);
  }

  /** A copy of a model that shares nothing with it, in the type of the probe set, without noise. */
  static Model copy(Model live, Probe probe, Noise noise) {
    if (live instanceof MultiLayerNetwork network) {
      return copy(network, probe, noise);
    }
    if (live instanceof ComputationGraph graph) {
      return copy(graph, probe, noise);
    }
    throw new IllegalArgumentException(
        "the model must be a MultiLayerNetwork or a ComputationGraph, got "
            + live.getClass().getSimpleName());
  }

  private static Model copy(MultiLayerNetwork live, Probe probe, Noise noise) {
    MultiLayerConfiguration conf = live.getLayerWiseConfigurations().clone();
    for (NeuralNetConfiguration layer : conf.getConfs()) {
      layer.setLayer(noise.without(layer.getLayer()));
    }
    conf.setTrainingWorkspaceMode(WorkspaceMode.NONE);
    conf.setInferenceWorkspaceMode(WorkspaceMode.NONE);
    conf.setDataType(probe.dataType());
    MultiLayerNetwork network = new MultiLayerNetwork(conf);
    network.init(copy(live.params(), probe.dataType()), false);
    network.initGradientsView();
    return network;
  }

  private static Model copy(ComputationGraph live, Probe probe, Noise noise) {
    ComputationGraphConfiguration conf = live.getConfiguration().clone();
    for (GraphVertex vertex : conf.getVertices().values()) {
      if (vertex instanceof LayerVertex layer) {
        layer.getLayerConf().setLayer(noise.without(layer.getLayerConf().getLayer()));
      }
    }
    conf.setTrainingWorkspaceMode(WorkspaceMode.NONE);
    conf.setInferenceWorkspaceMode(WorkspaceMode.NONE);
    conf.setDataType(probe.dataType());
    ComputationGraph graph = new ComputationGraph(conf);
    graph.init(copy(live.params(), probe.dataType()), false);
    graph.initGradientsView();
    return graph;
  }

  private static INDArray copy(INDArray parameters, DataType type) {
    return parameters.dataType() == type ? parameters.dup() : parameters.castTo(type);
  }

  /** Products are formed in float or double. */
  static DataType arithmetic(Model model) {
    return model.params().dataType() == DataType.DOUBLE ? DataType.DOUBLE : DataType.FLOAT;
  }

  List<String> assumptions() {
    return assumptions;
  }

  List<Node> nodes() {
    return nodes;
  }

  /** The number of layers and vertices with trained parameters. */
  int trainedNodes() {
    return (int) nodes.stream().filter(node -> node.rule().isTrained()).count();
  }

  List<Output> outputs() {
    return outputs;
  }

  void setParameters(INDArray flat) {
    requireLength("parameter", flat);
    parameters.assign(flat.reshape(parameters.shape()));
  }

  /** The metric of flat weights in the order of the parameters. */
  Metric metric(INDArray flat) {
    requireLength("metric", flat);
    double smallest = flat.minNumber().doubleValue();
    double largest = flat.maxNumber().doubleValue();
    if (!(smallest >= 0 && largest < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "the weights of a metric must be finite and at least 0, got values from "
              + smallest
              + " to "
              + largest);
    }
    return Metric.of(
        parameters, flat.castTo(parameters.dataType()).dup('c').reshape(flat.length()));
  }

  private void requireLength(String what, INDArray flat) {
    if (flat.length() != parameters.length()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the %s vector must have the model's length %d, got %d; order it as model.params()",
              what,
              parameters.length(),
              flat.length()));
    }
  }

  @Override
  public void close() {
    parameters.close();
  }
}
