// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.layers.recurrent.MaskZeroLayer;
import org.deeplearning4j.nn.layers.training.CenterLossOutputLayer;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Rows of the Jacobian by Deeplearning4j's own backward pass through the whole network, one example
 * and one column at a time, on a private copy of the model.
 */
final class SpotCheck implements AutoCloseable {
  private final Model model;
  private final Probe probe;
  private final List<Output> outputs;

  private SpotCheck(Model model, Probe probe, List<Output> outputs) {
    this.model = model;
    this.probe = probe;
    this.outputs = outputs;
  }

  /** A copy of the model for a probe set, whose losses take their labels for derivatives. */
  static SpotCheck of(Model live, Probe probe, List<Output> outputs) {
    Model model = Replica.copy(live, probe, new Noise());
    for (Layer layer : layers(model)) {
      replaceLoss(layer.conf().getLayer(), outputs.get(0).curvature().overLogits());
    }
    return new SpotCheck(model, probe, outputs);
  }

  /** Why Deeplearning4j's gradients of this model are not those of its output, if so. */
  static Optional<String> obstacle(Model model, Probe probe, List<Output> outputs) {
    boolean logits = outputs.get(0).curvature().overLogits();
    if (outputs.stream().anyMatch(output -> output.curvature().overLogits() != logits)) {
      return Optional.of("its outputs have losses of both kinds");
    }
    if (model instanceof ComputationGraph graph
        && Stream.of(graph.getVertices())
            .anyMatch(vertex -> !vertex.hasLayer() && vertex.numParams() > 0)) {
      return Optional.of("it has vertices with parameters of their own");
    }
    if (model instanceof ComputationGraph graph
        && Stream.of(graph.getVertices()).anyMatch(vertex -> GenericRule.scale(vertex) != 1)) {
      return Optional.of("Deeplearning4j doubles the gradients of SameDiff vertices");
    }
    if (Stream.of(layers(model)).anyMatch(layer -> masksSteps(layer, probe))) {
      return Optional.of("Deeplearning4j's gradients leak through masked time steps");
    }
    return Stream.of(layers(model)).map(SpotCheck::obstacle).flatMap(Optional::stream).findFirst();
  }

  private static boolean masksSteps(Layer layer, Probe probe) {
    return layer instanceof MaskZeroLayer
        || (layer instanceof BaseWrapperLayer wrapper && masksSteps(wrapper.getUnderlying(), probe))
        || (layer instanceof RecurrentLayer && probe.featuresMasks() != null);
  }

  private static Optional<String> obstacle(Layer layer) {
    if (layer.conf().getLayer() instanceof BatchNormalization) {
      return Optional.of("Deeplearning4j differentiates the statistics of the batch");
    }
    if (layer instanceof CenterLossOutputLayer) {
      return Optional.of("Deeplearning4j adds the pull of the centres to every gradient");
    }
    if (GenericRule.scale(layer) != 1) {
      return Optional.of("Deeplearning4j doubles the gradients of SameDiff layers");
    }
    return layer instanceof FrozenLayer || layer instanceof FrozenLayerWithBackprop
        ? Optional.of("it has frozen layers")
        : Optional.empty();
  }

  private static Layer[] layers(Model model) {
    return model instanceof ComputationGraph graph
        ? graph.getLayers()
        : ((MultiLayerNetwork) model).getLayers();
  }

  private static void replaceLoss(org.deeplearning4j.nn.conf.layers.Layer conf, boolean logits) {
    DerivativeLoss loss = new DerivativeLoss(logits);
    if (conf instanceof BaseOutputLayer output) {
      output.setLossFn(loss);
    } else if (conf instanceof LossLayer layer) {
      layer.setLossFn(loss);
    } else if (conf instanceof RnnLossLayer layer) {
      layer.setLossFn(loss);
    } else if (conf instanceof CnnLossLayer layer) {
      layer.setLossFn(loss);
    }
  }

  void setParameters(INDArray flat) {
    model.setParams(flat.castTo(probe.dataType()).reshape(model.params().shape()));
  }

  /**
   * The derivative of column c of example i with respect to all parameters.
   *
   * @param derivatives where the columns start, for each output as {@link
   *     OutputDerivatives#derivatives} gives them
   */
  double[] row(List<INDArray> derivatives, int i, int c) {
    INDArray[] labels = new INDArray[derivatives.size()];
    for (int o = 0; o < labels.length; o++) {
      Output output = outputs.get(o);
      INDArray rows = output.labelRows().forward(probe.examples(), probe.labels()[o]);
      long positions = rows.size(0) / probe.examples();
      long block = (long) c * probe.examples() + i;
      INDArray start = StackedColumns.get(derivatives.get(o), positions, block).dup('c');
      labels[o] = output.labelRows().back(start, true, (jacobian, parameters) -> {});
    }
    INDArray gradient =
        Replica.gradient(
            model,
            examples(probe.features(), i),
            labels,
            examples(probe.featuresMasks(), i),
            examples(probe.labelsMasks(), i));
    return gradient.castTo(DataType.DOUBLE).dup('c').data().asDouble();
  }

  private static INDArray[] examples(INDArray[] arrays, int i) {
    return arrays == null
        ? null
        : Stream.of(arrays).map(array -> example(array, i)).toArray(INDArray[]::new);
  }

  private static INDArray example(INDArray array, int i) {
    return array == null ? null : StackedColumns.get(array, 1, i).dup('c');
  }

  @Override
  public void close() {
    model.params().close();
  }
}
