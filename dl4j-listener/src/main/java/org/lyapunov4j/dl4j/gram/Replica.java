// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
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
  private final INDArray[] values;
  private final List<String> assumptions;
  private final List<String> noise;

  private Replica(INDArray parameters, INDArray[] values, ReplicaBuilder built, Noise noise) {
    this.parameters = parameters;
    this.values = values;
    nodes = List.copyOf(built.nodes());
    outputs = List.copyOf(built.outputs());
    this.noise = noise.noise();
    assumptions = new ArrayList<>(noise.assumptions());
    for (Output output : outputs) {
      if (!output.curvature().isSquaredError()) {
        assumptions.add(
            (output.loss() == null ? "YOLO's loss" : output.loss().getClass().getSimpleName())
                + " is not a squared error: outside the paper's theorems (section 2.7)");
      }
    }
  }

  /** A replica of a model for a probe set; refuses what has no rule by name, reason and remedy. */
  static Replica of(Model live, Probe probe, GramMethod method, Weighting weighting) {
    Noise noise = new Noise();
    Model model = copy(live, probe, noise);
    ReplicaBuilder built = new ReplicaBuilder(probe, method, weighting);
    INDArray[] values;
    if (model instanceof MultiLayerNetwork network) {
      requireArrays(probe, 1, 1);
      values = values(probe, features -> new INDArray[] {output(network, features[0], probe)});
      network.setLayerMaskArrays(probe.featuresMask(), probe.labelsMask());
      built.addAll(network);
    } else {
      ComputationGraph graph = (ComputationGraph) model;
      requireArrays(probe, graph.getNumInputArrays(), graph.getNumOutputArrays());
      values =
          values(
              probe,
              features ->
                  graph.output(false, features, probe.featuresMasks(), probe.labelsMasks()));
      graph.setInputs(probe.features());
      graph.setLayerMaskArrays(probe.featuresMasks(), probe.labelsMasks());
      built.addAll(graph);
    }
    return new Replica(model.params(), values, built, noise);
  }

  private static INDArray output(MultiLayerNetwork network, INDArray features, Probe probe) {
    return network.output(features, false, probe.featuresMask(), probe.labelsMask());
  }

  /** A copy of a model that shares nothing with it, in the type of the probe set, without noise. */
  static Model copy(Model live, Probe probe, Noise noise) {
    if (live instanceof MultiLayerNetwork network) {
      return copy(network, probe, noise);
    }
    if (live instanceof ComputationGraph graph) {
      return copy(graph, probe, noise);
    }
    throw UnsupportedModelException.of(
        "the model must be a MultiLayerNetwork or a ComputationGraph, got "
            + live.getClass().getSimpleName(),
        "watch the network, not a part of it");
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

  private static void requireArrays(Probe probe, int inputs, int outputs) {
    if (probe.features().length != inputs || probe.labels().length != outputs) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the model has %d inputs and %d outputs, got %d arrays of features and %d of labels;"
                  + " give one array for each",
              inputs,
              outputs,
              probe.features().length,
              probe.labels().length));
    }
  }

  /** The model's outputs, by Deeplearning4j's own forward pass, which tells if features fit. */
  private static INDArray[] values(Probe probe, Function<INDArray[], INDArray[]> forward) {
    INDArray[] features = probe.features().clone();
    for (int i = 0; i < features.length; i++) {
      features[i] = features[i].dup(); // some layers work in place
    }
    try {
      return forward.apply(features);
    } catch (RuntimeException e) {
      List<String> shapes =
          Arrays.stream(features).map(array -> Arrays.toString(array.shape())).toList();
      throw new IllegalArgumentException(
          String.format(
              "the model cannot be run on features of shape %s; give features as the model is"
                  + " trained on (Deeplearning4j says: %s)",
              String.join(" and ", shapes), e.getMessage()),
          e);
    }
  }

  /**
   * Deeplearning4j's gradient of the sum of the losses of some examples, flat; a view that its next
   * computation overwrites.
   */
  static INDArray gradient(
      Model model,
      INDArray[] features,
      INDArray[] labels,
      INDArray[] featuresMasks,
      INDArray[] labelsMasks) {
    if (model instanceof MultiLayerNetwork network) {
      network.setInput(features[0]);
      network.setLabels(labels[0]);
      network.setLayerMaskArrays(first(featuresMasks), first(labelsMasks));
      network.computeGradientAndScore();
    } else {
      ComputationGraph graph = (ComputationGraph) model;
      graph.setInputs(features);
      graph.setLabels(labels);
      graph.setLayerMaskArrays(featuresMasks, labelsMasks);
      graph.computeGradientAndScore();
    }
    INDArray gradient = model.gradient().gradient();
    return gradient.reshape(gradient.length());
  }

  private static INDArray first(INDArray[] masks) {
    return masks == null ? null : masks[0];
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

  /** What of training was taken out, a few words each. */
  List<String> noise() {
    return noise;
  }

  List<Node> nodes() {
    return nodes;
  }

  /** The number of layers and vertices with trained parameters. */
  int trainedNodes() {
    return (int) nodes.stream().filter(node -> node.rule().isTrained()).count();
  }

  /** The outputs at the probe set and the parameters of the model when the replica was made. */
  INDArray[] values() {
    return values;
  }

  List<Output> outputs() {
    return outputs;
  }

  void setParameters(INDArray flat) {
    requireLength("parameter", flat);
    parameters.assign(flat.reshape(parameters.shape()));
  }

  /** The parameterWeights of flat weights in the order of the parameters. */
  ParameterWeights parameterWeights(INDArray flat) {
    requireLength("parameterWeights", flat);
    double smallest = flat.minNumber().doubleValue();
    double largest = flat.maxNumber().doubleValue();
    if (!(smallest >= 0 && largest < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "the weights of a parameterWeights must be finite and at least 0, got values from "
              + smallest
              + " to "
              + largest);
    }
    return ParameterWeights.of(
        parameters, flat.castTo(parameters.dataType()).dup('c').reshape(flat.length()));
  }

  /** The groups of blocks, from the number of the group of each flat parameter. */
  BlockGroups groups(INDArray numbers) {
    requireLength("group", numbers);
    INDArray flat = numbers.castTo(parameters.dataType()).dup('c').reshape(numbers.length());
    return new BlockGroups(
        ParameterWeights.of(parameters, flat), numbers.maxNumber().intValue() + 1);
  }

  /** Views of a flat double array, in the order of the parameters, as parameters are seen. */
  ParameterWeights viewsOf(INDArray flat) {
    requireLength("parameter", flat);
    return ParameterWeights.of(parameters, flat);
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
