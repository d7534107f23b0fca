// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.api.TrainingConfig;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.FrozenVertex;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.layers.training.CenterLossOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.params.CenterLossParamInitializer;
import org.deeplearning4j.nn.updater.MultiLayerUpdater;
import org.deeplearning4j.nn.updater.graph.ComputationGraphUpdater;
import org.deeplearning4j.optimize.api.ConvexOptimizer;
import org.deeplearning4j.optimize.api.StepFunction;
import org.deeplearning4j.optimize.solvers.StochasticGradientDescent;
import org.deeplearning4j.optimize.stepfunctions.NegativeGradientStepFunction;
import org.lyapunov4j.dl4j.gram.FixedNorms;
import org.lyapunov4j.dl4j.step.GradientFactors.Factored;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * Reads the training step of a Deeplearning4j model: an {@link SgdStep}, and a weight μ_p for each
 * parameter, whose linearisation is the linearisation of what the model's optimiser really does.
 *
 * <p>Deeplearning4j sums the gradients of a mini-batch, divides by its size (unless {@code
 * miniBatch(false)}), adds l2, applies the updater, adds weight decay and subtracts the result. The
 * learning rate is the one in force at the given iteration, with its schedule. Regularisation is
 * read from each layer's list, not from what the user wrote: a {@code weightDecay} set on the
 * global builder is there twice, and counts twice in training. By default it spares the biases;
 * then the step {@linkplain SgdStep#decaysInPart decays in part}.
 *
 * <p>What differs between parameters becomes their weight, with which the Gram matrix of the step
 * at rate η is Σ_p μ_p (∂f/∂θ_p)(∂f/∂θ_p)ᵀ: learning rates η_p of layers and biases as η_p/η, the
 * preconditioner of an adaptive updater held fixed at its value after the step, and the factor 2ᵏ
 * with which Deeplearning4j 1.0.0-M2.1 trains what lies at or below k layers made with SameDiff.
 * Parameters that are not trained have the weight 0.
 *
 * <p>The model is only read; its updater state is neither created nor changed.
 */
public final class StepReader {
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
   * @throws IllegalArgumentException if the learning rate at this iteration is negative or not
   *     finite, or 0 beside a weight decay that is not multiplied with it
   */
  public TrainingStep read(Model model, int iteration, int epoch, int batchSize) {
    Set<String> remarks = new LinkedHashSet<>();
    List<ParameterRule> rules = rules(model, iteration, epoch, remarks);
    ParameterRule reference = reference(rules);
    remarkOnUpdaters(rules, remarks);
    remarkOnRates(rules, reference, remarks);
    Decay decay = Decay.of(rules, reference);
    SgdStep sgd = step(reference, decay, model.conf().isMiniBatch(), batchSize, remarks);
    double factor = model.conf().isMiniBatch() ? 1 : batchSize;
    Optional<ParameterGroups> groups =
        ParameterGroups.of(
            rules,
            reference,
            model.params().offset(),
            factor,
            withoutGroups(rules, reference, decay));
    if (groups.isEmpty()) {
      requireOneMemory(rules, reference);
      decay.requireCommon(rules, reference);
    }
    remarkOnMemories(rules, remarks);
    decay.remark(groups.isPresent()).ifPresent(remarks::add);
    requireNormalisedIfPreconditioned(model, rules);
    Constraints constraints = Constraints.of(parts(model));
    if (groups.isPresent()) {
      constraints.requireNoneReached("parameters have decays or memories of their own");
    }
    Level level =
        preconditioning(rules)
            .and(normalisation(model))
            .and(kinks(rules))
            .and(centres(model))
            .and(constraints.level())
            .and(
                groups.isPresent()
                    ? Level.exact()
                    : decay.level(reference.updater().learningRate()));
    return new TrainingStep(
        reference.updaterName(),
        sgd,
        level,
        warmUp(rules, iteration),
        List.copyOf(remarks),
        groups);
  }

  /** What is left where groups of parameters are not told apart. */
  private static Level withoutGroups(
      List<ParameterRule> rules, ParameterRule reference, Decay decay) {
    try {
      requireOneMemory(rules, reference);
      decay.requireCommon(rules, reference);
      return decay.level(reference.updater().learningRate());
    } catch (UnsupportedTrainingException refusal) {
      return refusal.level();
    }
  }

  private static void remarkOnMemories(List<ParameterRule> rules, Set<String> remarks) {
    Map<String, List<String>> owners = new LinkedHashMap<>();
    for (ParameterRule rule : rules) {
      owners
          .computeIfAbsent(rule.updater().momentum().toString(), key -> new ArrayList<>())
          .add(rule.name());
    }
    if (owners.size() > 1) {
      remarks.add(
          "parameters keep memories of their own: "
              + owners.entrySet().stream()
                  .map(entry -> entry.getKey() + " for " + join(entry.getValue()))
                  .collect(Collectors.joining(", ")));
    }
  }

  private static Optional<String> warmUp(List<ParameterRule> rules, int iteration) {
    ParameterRule slowest = Collections.max(rules, Comparator.comparingInt(ParameterRule::warmUp));
    int seen = iteration + 1;
    return seen >= slowest.warmUp()
        ? Optional.empty()
        : Optional.of(
            "warming up: "
                + slowest.updaterName()
                + " has seen "
                + seen
                + " of the "
                + slowest.warmUp()
                + " gradients after which its preconditioner describes the steps to come");
  }

  /** With a plain updater every step has the same length, whatever the curvature. */
  private static void requireNormalisedIfPreconditioned(Model model, List<ParameterRule> rules) {
    List<NormalisedGradient> normalised =
        NormalisedGradient.of(parts(model), model.params().offset());
    boolean preconditioned = rules.stream().allMatch(rule -> rule.updater().isAdaptive());
    if (!normalised.isEmpty() && !preconditioned) {
      throw new UnsupportedTrainingException(
          "The gradient normalisation of " + normalised.get(0).name(),
          "every step has the same length, so that training sits at its own edge, where a ratio of"
              + " 1.0 is normal",
          "use none, or a clipping one");
    }
  }

  /** l1 is a constant in the gradient of what keeps its sign. */
  private static Level kinks(List<ParameterRule> rules) {
    long rattling = rules.stream().mapToLong(ParameterRule::rattling).sum();
    long penalised =
        rules.stream()
            .filter(rule -> rule.l1() != 0)
            .mapToLong(rule -> rule.array().length())
            .sum();
    return rattling == 0
        ? Level.exact()
        : new Level.Approximate(
            "l1 is taken for constant",
            String.format(
                Locale.ROOT,
                "%d of %d parameters are within a step of 0 and rattle there",
                rattling,
                penalised));
  }

  private static Level normalisation(Model model) {
    return NormalisedGradient.of(parts(model), model.params().offset()).isEmpty()
        ? Level.exact()
        : new Level.Approximate(
            "preconditioner and gradient norms stand still",
            "the edge ratio is a gauge, right within a factor of 2; no λ, for a step of constant"
                + " length does not shrink near a minimum",
            2);
  }

  /**
   * The length of the segments of truncated backpropagation through time. Series that fit into one
   * are trained as without; of longer ones every segment makes a step of its own, which {@link
   * #read} does not know.
   *
   * @param model a {@code MultiLayerNetwork} or {@code ComputationGraph}
   * @return time steps; empty unless the model truncates
   */
  public static OptionalInt segmentLength(Model model) {
    if (model instanceof MultiLayerNetwork network) {
      MultiLayerConfiguration conf = network.getLayerWiseConfigurations();
      return length(conf.getBackpropType(), conf.getTbpttFwdLength());
    }
    if (model instanceof ComputationGraph graph) {
      ComputationGraphConfiguration conf = graph.getConfiguration();
      return length(conf.getBackpropType(), conf.getTbpttFwdLength());
    }
    return OptionalInt.empty();
  }

  private static OptionalInt length(BackpropType type, int length) {
    return type == BackpropType.TruncatedBPTT ? OptionalInt.of(length) : OptionalInt.empty();
  }

  /**
   * What is divided by its norm before the updater sees it.
   *
   * @param model a {@code MultiLayerNetwork} or {@code ComputationGraph}
   * @return the parts of the flat gradient that are normalised together; empty if none is
   */
  public List<NormalisedGradient> normalisations(Model model) {
    return NormalisedGradient.of(parts(model), model.params().offset());
  }

  /**
   * What can be said of a step that {@link #read} refuses: the learning rate of the first trained
   * parameter, if its updater has one, and the mini-batches.
   *
   * @param model any
   * @param iteration as for {@code read}
   * @param epoch as for {@code read}
   * @param batchSize as for {@code read}
   * @param refusal what {@code read} threw
   * @return a step at {@link Level.Observed}
   */
  public TrainingStep observe(
      Model model, int iteration, int epoch, int batchSize, UnsupportedTrainingException refusal) {
    Optional<IUpdater> updater = firstUpdater(model);
    double rate = updater.map(found -> found.getLearningRate(iteration, epoch)).orElse(0.0);
    return new TrainingStep(
        updater.map(found -> found.getClass().getSimpleName()).orElse("unknown updater"),
        new SgdStep(
            rate > 0 && rate < Double.POSITIVE_INFINITY ? rate : 0,
            batchSize,
            sampling,
            Momentum.NONE,
            0,
            0),
        refusal.level(),
        List.of());
  }

  private static Optional<IUpdater> firstUpdater(Model model) {
    if (!(model instanceof MultiLayerNetwork || model instanceof ComputationGraph)) {
      return Optional.empty();
    }
    for (Factored part : parts(model)) {
      if (part.part().numParams() > 0 && !isFrozen(part.part())) {
        String first = part.part().paramTable(false).keySet().iterator().next();
        return Optional.ofNullable(part.part().getConfig().getUpdaterByParam(first));
      }
    }
    return Optional.empty();
  }

  private static Level preconditioning(List<ParameterRule> rules) {
    return rules.stream()
        .filter(rule -> rule.updater().isAdaptive())
        .findFirst()
        .<Level>map(
            rule ->
                new Level.Approximate(
                    "the preconditioner of " + rule.updaterName() + " is held fixed",
                    "exact to first order where gradients vanish, a gauge elsewhere"))
        .orElse(Level.exact());
  }

  /**
   * Reads the weights μ_p that go with {@link #read}.
   *
   * @param model the same model, after the step
   * @param iteration as for {@code read}
   * @param epoch as for {@code read}
   * @return a new vector in the order of {@code model.params()}; empty if all trained parameters
   *     have the weight 1
   * @throws UnsupportedTrainingException as {@code read}
   * @throws IllegalStateException if the state of an adaptive updater does not exist, since the
   *     model was not trained yet
   */
  public Optional<INDArray> parameterWeights(Model model, int iteration, int epoch) {
    List<ParameterRule> rules = rules(model, iteration, epoch, new LinkedHashSet<>());
    ParameterRule reference = reference(rules);
    return rules.stream().allMatch(rule -> rule.hasWeightOne(reference))
        ? Optional.empty()
        : Optional.of(PreconditionerReader.read(model, rules, reference));
  }

  /**
   * Finds the vectors of weights that a constraint holds at their largest norm in the step of
   * {@link #read}, inside {@code iterationDone}, where the model is not projected yet, or later.
   *
   * @param model the same model, after the step
   * @return the vectors; empty if no largest norm is reached
   * @throws UnsupportedTrainingException for constraints of other kinds
   */
  public Optional<FixedNorms> fixedNorms(Model model) {
    return Constraints.of(parts(model)).fixed(model.params());
  }

  /**
   * The decay of every parameter by l2 inside a gradient that is preconditioned: D_p = c_p P_p
   * η_p/η, so that the curvature of the step in the weighted coordinates is AAᵀ + D.
   *
   * @param model the same model, after the step
   * @param iteration as for {@code read}
   * @param epoch as for {@code read}
   * @param batchSize as for {@code read}
   * @return a new vector in the order of {@code model.params()}; empty if l2 is not preconditioned
   * @throws UnsupportedTrainingException as {@code read}
   * @throws IllegalStateException as {@link #parameterWeights}
   */
  public Optional<INDArray> decays(Model model, int iteration, int epoch, int batchSize) {
    List<ParameterRule> rules = rules(model, iteration, epoch, new LinkedHashSet<>());
    ParameterRule reference = reference(rules);
    return Decay.of(rules, reference).preconditioned() == null
        ? Optional.empty()
        : Optional.of(
            PreconditionerReader.decays(model, rules, reference)
                .divi(model.conf().isMiniBatch() ? 1 : batchSize));
  }

  private SgdStep step(
      ParameterRule rule, Decay decay, boolean divided, int batchSize, Set<String> remarks) {
    if (rule.updater().learningRate() == 0) {
      requireNoAbsoluteDecay(rule);
      remarks.add("the learning rate is 0 here: the step moves nothing, λ = μ = 0");
    }
    // Without the division the sum over the batch is B times the mean, while l2 and decay keep
    // their size.
    double factor = divided ? 1 : batchSize;
    if (!divided) {
      remarks.add(
          "mini-batch division is off: the learning rate is the model's times the batch size");
    }
    return new SgdStep(
        rule.updater().learningRate() * factor,
        batchSize,
        sampling,
        rule.updater().momentum(),
        decay.l2() / factor,
        decay.weightDecay() / factor,
        decay.isInPart(),
        decay.l2() / factor);
  }

  private static void requireNoAbsoluteDecay(ParameterRule rule) {
    if (rule.absoluteDecay() != 0) {
      throw new IllegalArgumentException(
          "weight decay that is not multiplied with the learning rate needs a learning rate above"
              + " 0, got 0 with the decay "
              + rule.absoluteDecay()
              + " of "
              + rule.name()
              + "; multiply it (applyLR), or end the schedule above 0");
    }
  }

  /** The rules of all trained parameters; refuses what has no linearisation. */
  private static List<ParameterRule> rules(
      Model model, int iteration, int epoch, Set<String> remarks) {
    List<ParameterRule> rules = new ArrayList<>();
    for (Factored part : parts(model)) {
      if (part.part().numParams() > 0 && !isFrozen(part.part())) {
        requireOneFactor(part);
        requirePlainUpdate(part, remarks);
        rules.addAll(rules(part, iteration, epoch));
      }
    }
    if (rules.isEmpty()) {
      throw new UnsupportedTrainingException(
          "A model without trainable parameters", "it has no training step", "unfreeze a layer");
    }
    Constraints.of(parts(model)).requireProjectable(rules);
    requireStochasticGradientDescent(model.conf());
    requirePlainOptimizer(model);
    requirePlainUpdater(model);
    return rules;
  }

  private static List<Factored> parts(Model model) {
    if (model instanceof MultiLayerNetwork network) {
      return GradientFactors.of(network);
    }
    if (model instanceof ComputationGraph graph) {
      return GradientFactors.of(graph);
    }
    throw new UnsupportedTrainingException(
        "The model class " + model.getClass().getName(),
        "its training step is unknown",
        "use a MultiLayerNetwork or a ComputationGraph");
  }

  private static List<ParameterRule> rules(Factored part, int iteration, int epoch) {
    List<ParameterRule> rules = new ArrayList<>();
    for (String parameter : part.part().paramTable(false).keySet()) {
      // Running statistics live among the parameters but are no gradient's and not divided either.
      if (part.part().updaterDivideByMinibatch(parameter) && !isCentre(part, parameter)) {
        rules.add(
            ParameterRule.read(
                part.part(), part.name(), parameter, part.factor(), iteration, epoch));
      }
    }
    if (part.part() instanceof Layer layer && hasShiftedSlices(layer.conf().getLayer())) {
      requireNoUseOfSlices(rules, part.name());
    }
    return rules;
  }

  /** The centres of a centre loss take steps of their own, whatever the updater. */
  private static boolean isCentre(Factored part, String parameter) {
    return part.part() instanceof CenterLossOutputLayer
        && parameter.equals(CenterLossParamInitializer.CENTER_KEY);
  }

  private static Level centres(Model model) {
    return parts(model).stream().anyMatch(part -> part.part() instanceof CenterLossOutputLayer)
        ? new Level.Approximate(
            "the centres of the centre loss stand still",
            "their own steps moved the full-batch η_c by 0.1 % where that was measured")
        : Level.exact();
  }

  /** Layers whose table of parameters is in another order than their flat parameters. */
  private static boolean hasShiftedSlices(org.deeplearning4j.nn.conf.layers.Layer conf) {
    return conf instanceof DepthwiseConvolution2D || conf instanceof SeparableConvolution2D;
  }

  private static void requireNoUseOfSlices(List<ParameterRule> rules, String name) {
    ParameterRule first = rules.get(0);
    boolean decays = rules.stream().anyMatch(ParameterRule::decays);
    boolean differ =
        rules.stream()
            .anyMatch(
                rule ->
                    !rule.updaterName().equals(first.updaterName())
                        || rule.relativeRate(first) != 1
                        || !rule.updater().momentum().equals(first.updater().momentum()));
    if (decays || differ) {
      throw new UnsupportedTrainingException(
          "The " + (decays ? "regularisation" : "updater of the biases") + " of " + name,
          "Deeplearning4j 1.0.0-M2.1 applies it to the wrong slice of this layer's parameters",
          decays
              ? "set l2(0) and weightDecay(0) for this layer"
              : "give this layer's biases the updater of its weights");
    }
  }

  private static void requireOneFactor(Factored part) {
    if (Double.isNaN(part.factor())) {
      throw new UnsupportedTrainingException(
          "A path around a SameDiff layer or vertex above " + part.name(),
          "Deeplearning4j 1.0.0-M2.1 trains with twice the gradient of the path through it, so that"
              + " the sum is no multiple of the gradient",
          "use layers that are not made with SameDiff, or no path around them");
    }
  }

  /** What is attached to a model that has been trained may change its step. */
  private static void requirePlainOptimizer(Model model) {
    ConvexOptimizer optimizer = optimizer(model);
    if (optimizer == null) {
      return;
    }
    if (optimizer.getGradientsAccumulator() != null) {
      throw new UnsupportedTrainingException(
          "Sharing gradients through "
              + optimizer.getGradientsAccumulator().getClass().getSimpleName(),
          "updates are encoded by a threshold before they are applied, and what is below it waits",
          "let ParallelWrapper average parameters, or train without it");
    }
    if (optimizer.getClass() != StochasticGradientDescent.class) {
      throw new UnsupportedTrainingException(
          "The optimiser " + optimizer.getClass().getSimpleName(),
          "its step is not known here",
          "use STOCHASTIC_GRADIENT_DESCENT");
    }
    StepFunction function = ((StochasticGradientDescent) optimizer).getStepFunction();
    if (function != null && function.getClass() != NegativeGradientStepFunction.class) {
      throw new UnsupportedTrainingException(
          "The step function " + function.getClass().getSimpleName(),
          "only the default step, parameters minus update, is known",
          "leave stepFunction unset");
    }
  }

  private static void requirePlainUpdater(Model model) {
    Object updater =
        model instanceof MultiLayerNetwork network
            ? network.getUpdater(false)
            : ((ComputationGraph) model).getUpdater(false);
    if (updater != null
        && updater.getClass() != MultiLayerUpdater.class
        && updater.getClass() != ComputationGraphUpdater.class) {
      throw new UnsupportedTrainingException(
          "The updater " + updater.getClass().getSimpleName(),
          "what it makes of a gradient is not known here",
          "leave the model the updater of its configuration");
    }
  }

  /** Null before the first step, when Deeplearning4j has none to return. */
  private static ConvexOptimizer optimizer(Model model) {
    try {
      return model.getOptimizer();
    } catch (NullPointerException untrained) {
      return null;
    }
  }

  static boolean isFrozen(Trainable part) {
    return part instanceof FrozenLayer
        || part instanceof FrozenLayerWithBackprop
        || part instanceof FrozenVertex;
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
  private static void requirePlainUpdate(Factored part, Set<String> remarks) {
    TrainingConfig config = part.part().getConfig();
    double threshold = config.getGradientNormalizationThreshold();
    var normalization = config.getGradientNormalization();
    switch (normalization == null ? GradientNormalization.None : normalization) {
      case None -> {}
      case RenormalizeL2PerLayer, RenormalizeL2PerParamType -> {}
      case ClipElementWiseAbsoluteValue, ClipL2PerLayer, ClipL2PerParamType ->
          remarks.add(
              "gradient clipping (" + normalization + ", " + threshold + ") is taken as inactive");
    }
  }

  /** The rule whose learning rate is η. */
  private static ParameterRule reference(List<ParameterRule> rules) {
    List<ParameterRule> moving =
        rules.stream().filter(rule -> rule.updater().learningRate() > 0).toList();
    return moving.stream()
        .filter(rule -> !rule.bias())
        .findFirst()
        .orElse((moving.isEmpty() ? rules : moving).get(0));
  }

  private static void requireOneMemory(List<ParameterRule> rules, ParameterRule reference) {
    for (ParameterRule rule : rules) {
      requireSame(
          "momentum", reference, reference.updater().momentum(), rule, rule.updater().momentum());
    }
  }

  private static void remarkOnUpdaters(List<ParameterRule> rules, Set<String> remarks) {
    for (ParameterRule rule : rules) {
      if (rule.updater().isAdaptive()) {
        remarks.add(
            "the preconditioner of "
                + rule.updaterName()
                + " is held fixed; the linearisation of an adaptive updater is meaningful only in a"
                + " tiny neighbourhood of a minimum; sharpness is that of the preconditioned"
                + " curvature");
      }
      if (rule.atEpsilon()) {
        remarks.add(
            "the learning rate is 0, but Deeplearning4j 1.0.0-M2.1 steps with the epsilon of "
                + rule.updaterName()
                + " instead");
      }
      if (rule.updaterName().equals("NoOp")) {
        remarks.add("NoOp does not freeze " + rule.name() + ": its step is the gradient itself");
      }
    }
  }

  private static void remarkOnRates(
      List<ParameterRule> rules, ParameterRule reference, Set<String> remarks) {
    names(rules, rule -> rule.relativeRate(reference))
        .forEach(
            (rate, names) ->
                remarks.add(
                    String.format(
                        Locale.ROOT, "%.4g times this learning rate for %s", rate, names)));
    names(rules, ParameterRule::gradientFactor)
        .forEach(
            (factor, names) ->
                remarks.add(
                    String.format(
                        Locale.ROOT,
                        "Deeplearning4j 1.0.0-M2.1 trains %s with %.0f times the gradient, for the"
                            + " layers made with SameDiff there or above",
                        names,
                        factor)));
  }

  /** The names of the parameters for every value other than 1. */
  private static Map<Double, String> names(
      List<ParameterRule> rules, ToDoubleFunction<ParameterRule> value) {
    Map<Double, List<String>> names = new TreeMap<>();
    for (ParameterRule rule : rules) {
      names.computeIfAbsent(value.applyAsDouble(rule), key -> new ArrayList<>()).add(rule.name());
    }
    names.remove(1.0);
    Map<Double, String> joined = new TreeMap<>();
    names.forEach((key, those) -> joined.put(key, join(those)));
    return joined;
  }

  static String join(List<String> names) {
    return names.size() <= 3
        ? String.join(", ", names)
        : names.get(0) + " and " + (names.size() - 1) + " others";
  }

  static void requireSame(
      String what, ParameterRule first, Object expected, ParameterRule other, Object actual) {
    if (!expected.equals(actual)) {
      throw new UnsupportedTrainingException(
          "A " + what + " that differs between parameters",
          first.name() + " has " + expected + " but " + other.name() + " has " + actual,
          "give all trainable parameters the same " + what);
    }
  }
}
