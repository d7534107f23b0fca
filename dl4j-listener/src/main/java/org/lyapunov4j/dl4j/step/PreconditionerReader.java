// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.List;
import java.util.function.ToDoubleFunction;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Updater;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.GradientUpdater;

/** Lays the weights of all parameters out in the order of the flat parameters. */
final class PreconditionerReader {
  private PreconditionerReader() {}

  static INDArray read(Model model, List<ParameterRule> rules, ParameterRule reference) {
    return read(model, rules, rule -> rule.gradientFactor() * rule.relativeRate(reference));
  }

  /** What l2 inside the gradient shrinks every parameter by, in a step at the rate 1. */
  static INDArray decays(Model model, List<ParameterRule> rules, ParameterRule reference) {
    return read(model, rules, rule -> rule.l2(reference));
  }

  private static INDArray read(
      Model model, List<ParameterRule> rules, ToDoubleFunction<ParameterRule> weight) {
    INDArray parameters = model.params();
    DataType type = parameters.dataType() == DataType.DOUBLE ? DataType.DOUBLE : DataType.FLOAT;
    INDArray parameterWeights = Nd4j.zeros(type, parameters.length());
    for (ParameterRule rule : rules) {
      long from = rule.array().offset() - parameters.offset();
      long to = from + rule.array().length();
      INDArray part = parameterWeights.get(NDArrayIndex.interval(from, to));
      part.assign(weight.applyAsDouble(rule));
      if (rule.updater().isAdaptive()) {
        precondition(part, rule, state(model, rule.name()), from, to);
      }
    }
    return parameterWeights;
  }

  private static BaseMultiLayerUpdater<?> state(Model model, String name) {
    Updater updater =
        model instanceof ComputationGraph graph
            ? graph.getUpdater(false)
            : ((MultiLayerNetwork) model).getUpdater(false);
    if (updater instanceof BaseMultiLayerUpdater<?> known) {
      return known;
    }
    throw new IllegalStateException(
        "the updater of " + name + " has no state yet; train for one iteration first");
  }

  /** Multiplies with the weights that the updater's state gives parameters from … to. */
  private static void precondition(
      INDArray part, ParameterRule rule, BaseMultiLayerUpdater<?> updater, long from, long to) {
    for (UpdaterBlock block : updater.getUpdaterBlocks()) {
      long start = block.getParamOffsetStart();
      if (start <= from && to <= block.getParamOffsetEnd()) {
        GradientUpdater<?> inner = block.getGradientUpdater();
        INDArray weights = rule.updater().parameterWeights().weights(inner.getState());
        INDArray flat = weights.reshape(weights.length());
        part.muli(
            flat.get(NDArrayIndex.interval(from - start, to - start)).castTo(part.dataType()));
        return;
      }
    }
    throw new IllegalStateException(
        "no block of the updater holds " + rule.name() + "; was the model's updater replaced?");
  }
}
