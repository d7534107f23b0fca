// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.graph.UnstackVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.VertexIndices;
import org.deeplearning4j.nn.graph.vertex.impl.FrozenVertex;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/** Lays the layers and vertices of a network out as nodes. */
final class ReplicaBuilder {
  private final LayerRules rules;
  private final List<Node> nodes = new ArrayList<>();
  private final List<Output> outputs = new ArrayList<>();
  private final Weighting weighting;

  ReplicaBuilder(Probe probe, GramMethod method, Weighting weighting) {
    this.weighting = weighting;
    rules = new LayerRules(probe.examples(), probe.dataType(), method);
  }

  List<Node> nodes() {
    return nodes;
  }

  List<Output> outputs() {
    return outputs;
  }

  void addAll(MultiLayerNetwork network) {
    Layer[] layers = network.getLayers();
    int at = -1;
    for (int i = 0; i < layers.length; i++) {
      String name = layers[i].conf().getLayer().getLayerName();
      InputPreProcessor preprocessor = network.getLayerWiseConfigurations().getInputPreProcess(i);
      String label = name == null ? String.valueOf(i) : name;
      at = addLayer(layers[i], preprocessor, label, i == layers.length - 1, at);
    }
  }

  void addAll(ComputationGraph graph) {
    Map<Integer, Integer> nodeOf = new HashMap<>();
    Map<String, Output> outputOf = new HashMap<>();
    List<String> names = graph.getConfiguration().getNetworkOutputs();
    for (int index : graph.topologicalSortOrder()) {
      GraphVertex vertex = graph.getVertices()[index];
      if (vertex.isInputVertex()) {
        int position = graph.getConfiguration().getNetworkInputs().indexOf(vertex.getVertexName());
        nodeOf.put(index, -1 - position);
        continue;
      }
      boolean output = names.contains(vertex.getVertexName());
      nodeOf.put(index, addVertex(graph, vertex, output, inputs(vertex, nodeOf)));
      if (output) {
        outputOf.put(vertex.getVertexName(), outputs.remove(0));
      }
    }
    for (String name : names) {
      outputs.add(outputOf.get(name));
    }
  }

  private static List<Integer> inputs(GraphVertex vertex, Map<Integer, Integer> nodeOf) {
    VertexIndices[] from = vertex.getInputVertices();
    List<Integer> inputs = new ArrayList<>();
    for (int j = 0; j < from.length; j++) {
      inputs.add(nodeOf.get(from[j].getVertexIndex()));
    }
    return inputs;
  }

  private int addVertex(
      ComputationGraph graph, GraphVertex vertex, boolean output, List<Integer> inputs) {
    String name = vertex.getVertexName();
    org.deeplearning4j.nn.conf.graph.GraphVertex conf =
        graph.getConfiguration().getVertices().get(name);
    if (vertex instanceof LayerVertex layer) {
      return addLayer(layer.getLayer(), layer.getLayerPreProcessor(), name, output, inputs.get(0));
    }
    if (output) {
      throw UnsupportedModelException.of(
          "output '" + name + "' has no loss", "end the graph in an output layer");
    }
    if (vertex instanceof FrozenVertex) {
      return add(name, new FrozenRule(new VertexRule(vertex), true), inputs);
    }
    if (conf instanceof PreprocessorVertex preprocessor) {
      return addPreprocessor(preprocessor.getPreProcessor(), name, inputs.get(0));
    }
    if (conf instanceof StackVertex) {
      return add(name, new StackRule(), inputs);
    }
    if (conf instanceof UnstackVertex unstack) {
      return add(name, new StackRule.Unstack(unstack.getFrom(), unstack.getStackSize()), inputs);
    }
    return add(name, new VertexRule(vertex), inputs);
  }

  private int addLayer(
      Layer layer, InputPreProcessor preprocessor, String name, boolean output, int input) {
    int at = addPreprocessor(preprocessor, name, input);
    if (!output) {
      return add(name, rules.hidden(layer, describe(layer, name)), List.of(at));
    }
    String description = describe(layer, name);
    ILossFunction loss = rules.loss(layer, description);
    Curvature curvature = rules.curvature(layer, weighting, description);
    at = add(name, rules.outputRows(layer), List.of(at));
    at = add(name, rules.output(layer, curvature, description), List.of(at));
    outputs.add(new Output(at, loss, curvature, rules.outputRows(layer), rules.lossMask(layer)));
    return at;
  }

  private int addPreprocessor(InputPreProcessor preprocessor, String name, int input) {
    int at = input;
    if (preprocessor != null) {
      for (LayerRule rule : rules.preprocessor(preprocessor)) {
        at = add(name, rule, List.of(at));
      }
    }
    return at;
  }

  private int add(String name, Rule rule, List<Integer> inputs) {
    nodes.add(new Node(name, rule, inputs));
    return nodes.size() - 1;
  }

  private static String describe(Layer layer, String name) {
    return "layer '"
        + name
        + "' ("
        + LayerRules.unwrapped(layer).conf().getLayer().getClass().getSimpleName()
        + ")";
  }
}
