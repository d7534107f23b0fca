// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * A private copy of a model, as a list of rules. It shares no array with the model, draws no random
 * number, has no listener and opens no workspace; dropout and weight noise are taken out of it.
 */
final class Replica implements AutoCloseable {
  private final INDArray parameters;
  private final List<LayerRule> rules;
  private final ILossFunction loss;
  private final LossCurvature curvature;
  private final List<String> assumptions;

  private Replica(
      INDArray parameters,
      List<LayerRule> rules,
      ILossFunction loss,
      LossCurvature curvature,
      List<String> assumptions) {
    this.parameters = parameters;
    this.rules = List.copyOf(rules);
    this.loss = loss;
    this.curvature = curvature;
    this.assumptions = List.copyOf(assumptions);
  }

  /** A replica of a model; refuses what has no rule by name, reason and remedy. */
  static Replica of(Model model) {
    if (model instanceof MultiLayerNetwork network) {
      return of(network);
    }
    throw new IllegalArgumentException(
        "the model must be a MultiLayerNetwork, got " + model.getClass().getSimpleName());
  }

  private static Replica of(MultiLayerNetwork live) {
    DataType type = arithmetic(live.params().dataType());
    MultiLayerConfiguration conf = live.getLayerWiseConfigurations().clone();
    conf.setTrainingWorkspaceMode(WorkspaceMode.NONE);
    conf.setInferenceWorkspaceMode(WorkspaceMode.NONE);
    conf.setDataType(type);
    MultiLayerNetwork network = new MultiLayerNetwork(conf);
    INDArray parameters = live.params().castTo(type).dup();
    network.init(parameters, false);
    Set<String> assumptions = new TreeSet<>();
    List<LayerRule> rules = new ArrayList<>();
    Layer[] layers = network.getLayers();
    for (int i = 0; i < layers.length; i++) {
      InputPreProcessor preprocessor = conf.getInputPreProcess(i);
      if (preprocessor != null) {
        rules.add(new PreprocessorRule(preprocessor));
      }
      assumptions.addAll(withoutNoise(layers[i].conf().getLayer()));
      if (i < layers.length - 1) {
        rules.add(LayerRules.hidden(layers[i], describe(layers[i], i)));
      }
    }
    int last = layers.length - 1;
    String name = describe(layers[last], last);
    ILossFunction loss = LayerRules.loss(layers[last], name);
    LossCurvature curvature = LayerRules.curvature(layers[last], name);
    rules.add(LayerRules.output(layers[last], curvature, name));
    return new Replica(parameters, rules, loss, curvature, List.copyOf(assumptions));
  }

  /** Products are formed in float or double. */
  private static DataType arithmetic(DataType parameters) {
    return parameters == DataType.DOUBLE ? DataType.DOUBLE : DataType.FLOAT;
  }

  private static List<String> withoutNoise(org.deeplearning4j.nn.conf.layers.Layer layer) {
    List<String> removed = new ArrayList<>();
    if (layer.getIDropout() != null) {
      layer.setIDropout(null);
      removed.add("dropout is off");
    }
    if (layer instanceof BaseLayer base && base.getWeightNoise() != null) {
      base.setWeightNoise(null);
      removed.add("weight noise is off");
    }
    return removed;
  }

  private static String describe(Layer layer, int index) {
    org.deeplearning4j.nn.conf.layers.Layer conf = layer.conf().getLayer();
    String name = conf.getLayerName() == null ? "" : " '" + conf.getLayerName() + "'";
    return "layer " + index + name + " (" + conf.getClass().getSimpleName() + ")";
  }

  DataType dataType() {
    return parameters.dataType();
  }

  ILossFunction loss() {
    return loss;
  }

  LossCurvature curvature() {
    return curvature;
  }

  List<String> assumptions() {
    return assumptions;
  }

  List<LayerRule> rules() {
    return rules;
  }

  void setParameters(INDArray flat) {
    if (flat.length() != parameters.length()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the parameter vector must have the model's length %d, got %d; pass model.params()",
              parameters.length(),
              flat.length()));
    }
    parameters.assign(flat.reshape(parameters.shape()));
  }

  @Override
  public void close() {
    parameters.close();
  }
}
