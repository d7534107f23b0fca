// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.samediff.AbstractSameDiffLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffOutputLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.SgdStep;

/**
 * Reads the training step of a Deeplearning4j model: an {@link SgdStep} whose linearisation is the
 * linearisation of what the model's optimiser really does.
 *
 * <p>Deeplearning4j sums the gradients of a mini-batch, divides by its size (unless {@code
 * miniBatch(false)}), adds l2, applies the updater, adds weight decay and subtracts the result. The
 * learning rate is the one in force at the given iteration, with its schedule. Regularisation is
 * read from each layer's list, not from what the user wrote: a {@code weightDecay} set on the
 * global builder is there twice, and counts twice in training.
 *
 * <p>Only the configuration is read; neither the model nor its updater state is touched.
 */
public final class StepReader {
  private static final String TWICE =
      "Deeplearning4j 1.0.0-M2.1 trains it, and all layers below it, with twice the gradient";

  private final MiniBatchSampling sampling;

  /**
   * A reader.
   *
   * @param sampling how training draws its mini-batches; nothing in a model tells
   */
  public StepReader(MiniBatchSampling sampling) {
    this.sampling = Objects.requireNonNull(sampling, "sampling");
  }

  /**
   * Reads the step.
   *
   * @param model a {@code MultiLayerNetwork} or {@code ComputationGraph}
   * @param iteration the model's iteration counter at the step; inside {@code iterationDone} the
   *     iteration it is called with
   * @param epoch the epoch at the step
   * @param batchSize B, the number of examples in a mini-batch
   * @return the step
   * @throws UnsupportedTrainingException naming the setting of the model that has no linearisation
   *     here
   * @throws IllegalArgumentException if the learning rate at this iteration is not positive
   */
  public TrainingStep read(Model model, int iteration, int epoch, int batchSize) {
    Set<String> remarks = new LinkedHashSet<>();
    List<ParameterRule> rules = new ArrayList<>();
    for (Layer layer : layers(model)) {
      String name = describe(layer);
      requireTrueGradient(layer, name);
      if (layer.numParams() > 0 && !isFrozen(layer)) {
        requirePlainUpdate(layer, name, remarks);
        rules.addAll(rules(layer, name, iteration, epoch));
      }
    }
    if (rules.isEmpty()) {
      throw new UnsupportedTrainingException(
          "A model without trainable parameters", "it has no training step", "unfreeze a layer");
    }
    requireStochasticGradientDescent(model.conf());
    requireWholeSeries(model);
    SgdStep sgd = step(common(rules, remarks), model.conf().isMiniBatch(), batchSize, remarks);
    return new TrainingStep(sgd, List.copyOf(remarks));
  }

  private SgdStep step(ParameterRule rule, boolean divided, int batchSize, Set<String> remarks) {
    // Without the division the sum over the batch is B times the mean, while l2 and decay keep
    // their size.
    double factor = divided ? 1 : batchSize;
    if (!divided) {
      remarks.add(
          "mini-batch division is off: the learning rate is the model's times the batch size");
    }
    return new SgdStep(
        rule.learningRate() * factor,
        batchSize,
        sampling,
        rule.momentum(),
        rule.l2() / factor,
        rule.weightDecay() / factor);
  }

  private static Layer[] layers(Model model) {
    if (model instanceof MultiLayerNetwork network) {
      return network.getLayers();
    }
    if (model instanceof ComputationGraph graph) {
      requireNoSameDiffVertex(graph);
      return graph.getLayers();
    }
    throw new UnsupportedTrainingException(
        "The model class " + model.getClass().getName(),
        "its training step is unknown",
        "use a MultiLayerNetwork or a ComputationGraph");
  }

  private static List<ParameterRule> rules(Layer layer, String name, int iteration, int epoch) {
    List<ParameterRule> rules = new ArrayList<>();
    for (String parameter : layer.paramTable(false).keySet()) {
      // Running statistics live among the parameters but are no gradient's and not divided either.
      if (layer.updaterDivideByMinibatch(parameter)) {
        rules.add(ParameterRule.read(layer, name, parameter, iteration, epoch));
      }
    }
    boolean decays = rules.stream().anyMatch(rule -> rule.l2() != 0 || rule.weightDecay() != 0);
    if (decays && hasShiftedSlices(layer.conf().getLayer())) {
      throw new UnsupportedTrainingException(
          "The regularisation of " + name,
          "Deeplearning4j 1.0.0-M2.1 applies it to the wrong slice of this layer's parameters",
          "set l2(0) and weightDecay(0) for this layer");
    }
    return rules;
  }

  /** Layers whose table of parameters is in another order than their flat parameters. */
  private static boolean hasShiftedSlices(org.deeplearning4j.nn.conf.layers.Layer conf) {
    return conf instanceof DepthwiseConvolution2D || conf instanceof SeparableConvolution2D;
  }

  private static void requireTrueGradient(Layer layer, String name) {
    var conf = layer.conf().getLayer();
    if (conf instanceof AbstractSameDiffLayer && !(conf instanceof SameDiffOutputLayer)) {
      throw new UnsupportedTrainingException(
          "The SameDiff layer " + name, TWICE, "use a layer that is not made with SameDiff");
    }
  }

  private static void requireNoSameDiffVertex(ComputationGraph graph) {
    graph
        .getConfiguration()
        .getVertices()
        .forEach(
            (name, vertex) -> {
              if (vertex instanceof SameDiffVertex) {
                throw new UnsupportedTrainingException(
                    "The SameDiff vertex " + vertex.getClass().getSimpleName() + " '" + name + "'",
                    TWICE,
                    "use a vertex that is not made with SameDiff");
              }
            });
  }

  private static void requireWholeSeries(Model model) {
    BackpropType type =
        model instanceof MultiLayerNetwork network
            ? network.getLayerWiseConfigurations().getBackpropType()
            : ((ComputationGraph) model).getConfiguration().getBackpropType();
    if (type == BackpropType.TruncatedBPTT) {
      throw new UnsupportedTrainingException(
          "Truncated backpropagation through time",
          "it takes one step per segment of a series, each with a loss of its own",
          "use BackpropType.Standard");
    }
  }

  private static boolean isFrozen(Layer layer) {
    return layer instanceof FrozenLayer || layer instanceof FrozenLayerWithBackprop;
  }

  private static String describe(Layer layer) {
    String type = layer.conf().getLayer().getClass().getSimpleName();
    String name = layer.conf().getLayer().getLayerName();
    return name == null ? type + " " + layer.getIndex() : type + " '" + name + "'";
  }

  private static void requireStochasticGradientDescent(NeuralNetConfiguration conf) {
    if (conf.getOptimizationAlgo() != OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT) {
      throw new UnsupportedTrainingException(
          "The optimisation algorithm " + conf.getOptimizationAlgo(),
          "it searches along lines and has no fixed step",
          "use STOCHASTIC_GRADIENT_DESCENT");
    }
    if (conf.getStepFunction() != null) {
      throw new UnsupportedTrainingException(
          "The step function " + conf.getStepFunction().getClass().getSimpleName(),
          "only the default step, parameters minus update, is known",
          "leave stepFunction unset");
    }
  }

  /**
   * Refuses what turns the update into something else, and remarks on what merely should be known.
   */
  private static void requirePlainUpdate(Layer layer, String name, Set<String> remarks) {
    var conf = layer.conf().getLayer();
    if (conf.getConstraints() != null && !conf.getConstraints().isEmpty()) {
      throw new UnsupportedTrainingException(
          "The constraint "
              + conf.getConstraints().get(0).getClass().getSimpleName()
              + " of "
              + name,
          "it projects the parameters after the step",
          "train without constraints");
    }
    double threshold = layer.getConfig().getGradientNormalizationThreshold();
    var normalization = layer.getConfig().getGradientNormalization();
    switch (normalization == null ? GradientNormalization.None : normalization) {
      case None -> {}
      case RenormalizeL2PerLayer, RenormalizeL2PerParamType ->
          throw new UnsupportedTrainingException(
              "The gradient normalisation " + normalization + " of " + name,
              "a step of constant length has no linearisation at a minimum",
              "use none, or a clipping one");
      case ClipElementWiseAbsoluteValue, ClipL2PerLayer, ClipL2PerParamType ->
          remarks.add(
              "gradient clipping (" + normalization + ", " + threshold + ") is taken as inactive");
    }
  }

  /**
   * The one rule all parameters follow; biases may be spared the decay, as is Deeplearning4j's
   * default.
   */
  private static ParameterRule common(List<ParameterRule> rules, Set<String> remarks) {
    ParameterRule first =
        rules.stream().filter(rule -> !rule.bias()).findFirst().orElse(rules.get(0));
    for (ParameterRule rule : rules) {
      requireSame("learning rate", first, first.learningRate(), rule, rule.learningRate());
      requireSame("momentum", first, first.momentum(), rule, rule.momentum());
      if (!rule.bias()) {
        requireSame("l2", first, first.l2(), rule, rule.l2());
        requireSame("weight decay", first, first.weightDecay(), rule, rule.weightDecay());
      } else if (rule.l2() != first.l2() || rule.weightDecay() != first.weightDecay()) {
        remarks.add("biases are taken to decay as the weights do");
      }
    }
    return first;
  }

  private static void requireSame(
      String what, ParameterRule first, Object expected, ParameterRule other, Object actual) {
    if (!expected.equals(actual)) {
      throw new UnsupportedTrainingException(
          "A " + what + " that differs between parameters",
          first.name() + " has " + expected + " but " + other.name() + " has " + actual,
          "give all trainable parameters the same " + what);
    }
  }
}
