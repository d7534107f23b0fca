// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.conf.constraint.NonNegativeConstraint;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.dl4j.Networks;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.ParameterGroup;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaBelief;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.AdaMax;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/** The step that is read is the step that Deeplearning4j takes. */
class StepReaderTest {
  private static final int BATCH = 6;
  private static final StepReader READER = new StepReader(MiniBatchSampling.IID_SUBSETS);

  record Case(String name, NeuralNetConfiguration.Builder configuration) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Case> cases() {
    MapSchedule byIteration =
        new MapSchedule(ScheduleType.ITERATION, Map.of(0, 0.1, 1, 0.03, 3, 0.2));
    MapSchedule toZero = new MapSchedule(ScheduleType.ITERATION, Map.of(0, 0.1, 2, 0.0));
    MapSchedule fromZero = new MapSchedule(ScheduleType.ITERATION, Map.of(0, 0.0, 2, 0.1));
    MapSchedule momenta = new MapSchedule(ScheduleType.ITERATION, Map.of(0, 0.5, 2, 0.9));
    return Stream.of(
        new Case("Sgd", with(new Sgd(0.1))),
        new Case("Sgd with a schedule", with(new Sgd(byIteration))),
        new Case("Sgd that ends at 0", with(new Sgd(toZero))),
        new Case("momentum that ends at 0", with(new Nesterovs(toZero, 0.9)).weightDecay(0.02)),
        new Case("Adam from 0 on", with(Adam.builder().learningRateSchedule(fromZero).build())),
        new Case("Adam ends at 0", with(Adam.builder().learningRateSchedule(toZero).build())),
        new Case("AMSGrad 0", with(AMSGrad.builder().learningRateSchedule(toZero).build())),
        new Case("AdaMax 0", with(new AdaMax(toZero))),
        new Case("Nadam 0", with(Nadam.builder().learningRateSchedule(toZero).build())),
        new Case("RmsProp 0", with(RmsProp.builder().learningRateSchedule(toZero).build())),
        new Case("AdaGrad 0", with(AdaGrad.builder().learningRateSchedule(toZero).build())),
        new Case("Nesterovs", with(new Nesterovs(0.05, 0.9))),
        new Case("Nesterovs with schedules", with(new Nesterovs(byIteration, momenta))),
        new Case("l2", with(new Sgd(0.1)).l2(0.02)),
        new Case("l2 with momentum", with(new Nesterovs(0.05, 0.8)).l2(0.02)),
        new Case("weight decay, twice", with(new Sgd(0.1)).weightDecay(0.02)),
        new Case("weight decay, momentum", with(new Nesterovs(byIteration, 0.8)).weightDecay(0.02)),
        new Case("weight decay without rate", with(new Sgd(byIteration)).weightDecay(0.02, false)),
        new Case("no division", with(new Sgd(0.01)).miniBatch(false)),
        new Case("no division, l2", with(new Sgd(0.01)).miniBatch(false).l2(0.03)),
        new Case(
            "no division, weight decay",
            with(new Nesterovs(0.01, 0.7)).miniBatch(false).weightDecay(0.02)),
        new Case("Adam", with(new Adam(0.1))),
        new Case(
            "Adam with a schedule",
            with(Adam.builder().learningRateSchedule(byIteration).beta1(0.8).beta2(0.9).build())),
        new Case("Adam, weight decay", with(new Adam(0.05)).weightDecay(0.02)),
        new Case("Adam, no division", with(new Adam(0.05)).miniBatch(false)),
        new Case("AMSGrad", with(new AMSGrad(0.1))),
        new Case("AdaMax", with(new AdaMax(0.1))),
        new Case("Nadam", with(new Nadam(0.1))),
        new Case("RmsProp", with(new RmsProp(0.1, 0.8, 1e-4))),
        new Case("AdaGrad", with(new AdaGrad(0.1))),
        new Case("NoOp", with(new NoOp())));
  }

  /** Four steps of training against four steps of what {@link SgdStep} documents. */
  @ParameterizedTest
  @MethodSource("cases")
  void isTheStepOfTraining(Case test) {
    requireTheStepOfTraining(withoutBias(test.configuration()), withoutBias(test.configuration()));
  }

  static Stream<Case> unequalCases() {
    MapSchedule byIteration = new MapSchedule(ScheduleType.ITERATION, Map.of(0, 0.1, 2, 0.0));
    return Stream.of(
        new Case("bias rate", with(new Sgd(0.1)).biasUpdater(new Sgd(0.02))),
        new Case(
            "bias rate, momentum",
            with(new Nesterovs(0.1, 0.8)).biasUpdater(new Nesterovs(0.3, 0.8))),
        new Case("frozen bias", with(new Sgd(0.1)).biasUpdater(new Sgd(byIteration))),
        new Case("unscaled bias", with(new Sgd(0.1)).biasUpdater(new NoOp())),
        new Case(
            "Adam, other bias", with(new Adam(0.1)).biasUpdater(new Adam(0.02, 0.9, 0.9, 0.1))),
        new Case("RmsProp, plain bias", with(new RmsProp(0.1)).biasUpdater(new Sgd(0.2))));
  }

  @ParameterizedTest
  @MethodSource("unequalCases")
  void isTheStepOfTrainingWithRatesThatDiffer(Case test) {
    MultiLayerNetwork trained = withFirstLayerAtHalfTheRate(test.configuration());
    requireTheStepOfTraining(trained, withFirstLayerAtHalfTheRate(test.configuration()));
    assertThat(READER.read(trained, 0, 0, BATCH).remarks()).anyMatch(r -> r.contains("for b of"));
  }

  private static void requireTheStepOfTraining(
      MultiLayerNetwork trained, MultiLayerNetwork oracle) {
    DataSet batch = Networks.data(3, BATCH, 2, 2, DataType.DOUBLE);
    INDArray theta = trained.params().dup();
    INDArray velocity = theta.mul(0);
    for (int t = 0; t < 4; t++) {
      SgdStep step = READER.read(trained, t, 0, BATCH).sgd();
      trained.fit(batch);
      INDArray ones = theta.mul(0).addi(1);
      INDArray parameterWeights = READER.parameterWeights(trained, t, 0).orElse(ones);
      oracle.setParams(theta);
      INDArray gradient = meanGradient(oracle, batch).addi(theta.mul(step.l2()));
      theta.subi(theta.mul(step.learningRate() * step.weightDecay()));
      velocity = move(theta, velocity, gradient, parameterWeights, step);
      // Deeplearning4j's Adam takes its epsilon, 1e-8, where its rate is 0.
      boolean resting = step.learningRate() == 0;
      assertThat(trained.params().sub(theta).norm2Number().doubleValue())
          .as("step %d", t)
          .isCloseTo(0, within(resting ? 1e-6 : 1e-12));
      theta = resting ? trained.params().dup() : theta;
    }
  }

  /** Moves θ as {@link Momentum} documents, in the parameterWeights, and returns v′. */
  private static INDArray move(
      INDArray theta,
      INDArray velocity,
      INDArray gradient,
      INDArray parameterWeights,
      SgdStep step) {
    double rate = step.learningRate();
    double beta = step.momentum().coefficient();
    boolean averages =
        step.momentum() instanceof Momentum.MovingAverage
            || step.momentum() instanceof Momentum.NesterovAverage;
    INDArray next = velocity.mul(beta).addi(gradient.mul(averages ? 1 - beta : -rate));
    INDArray update;
    if (step.momentum() instanceof Momentum.MovingAverage) {
      update = next.mul(-rate);
    } else if (step.momentum() instanceof Momentum.NesterovAverage) {
      update = velocity.mul(beta).subi(next.mul(1 + beta)).muli(rate);
    } else {
      assertThat(step.momentum() instanceof Momentum.Nesterov || beta == 0).isTrue();
      update = next.mul(1 + beta).subi(velocity.mul(beta));
    }
    theta.addi(update.muli(parameterWeights));
    return next;
  }

  /** AdaDelta's step takes the mean square of updates from before it, of gradients from after. */
  @Test
  void adaDeltaIsAStepInItsMetric() {
    MultiLayerNetwork trained = withoutBias(with(new AdaDelta(0.9, 1e-4)));
    MultiLayerNetwork oracle = withoutBias(with(new AdaDelta(0.9, 1e-4)));
    DataSet batch = Networks.data(3, BATCH, 2, 2, DataType.DOUBLE);
    fill(trained, 1);
    INDArray theta = trained.params().dup();
    oracle.setParams(theta);
    INDArray gradient = meanGradient(oracle, batch).muli(1e-4);
    DataSet near = new DataSet(batch.getFeatures(), labelsWithGradient(oracle, batch, 1e-4));
    INDArray before = READER.parameterWeights(trained, 0, 0).orElseThrow();
    trained.fit(near);
    SgdStep step = READER.read(trained, 0, 0, BATCH).sgd();
    INDArray moved = trained.params().sub(theta);
    INDArray expected = gradient.mul(before).muli(-step.learningRate());
    // the mean square of gradients decays by 0.9 in the step, the root of it in the weights less
    assertThat(moved.sub(expected.div(Math.sqrt(0.9))).norm2Number().doubleValue())
        .isLessThan(1e-3 * moved.norm2Number().doubleValue());
  }

  static Stream<IUpdater> adaptive() {
    return Stream.of(
        new Adam(0.1),
        new AMSGrad(0.1),
        new AdaMax(0.1),
        new Nadam(0.1),
        new RmsProp(0.1),
        new AdaGrad(0.1),
        new AdaDelta());
  }

  /**
   * The state's squares of gradients change to second order in the gradient: halving a small one
   * halves the update of one real step.
   */
  @ParameterizedTest
  @MethodSource("adaptive")
  void theUpdateIsLinearInSmallGradients(IUpdater updater) {
    double[] lengths = new double[2];
    INDArray[] moves = new INDArray[2];
    for (int i = 0; i < 2; i++) {
      MultiLayerNetwork network = withoutBias(with(updater.clone()));
      DataSet batch = Networks.data(3, BATCH, 2, 2, DataType.DOUBLE);
      double size = i == 0 ? 1e-4 : 5e-5;
      DataSet near = new DataSet(batch.getFeatures(), labelsWithGradient(network, batch, size));
      fill(network, 1);
      INDArray theta = network.params().dup();
      network.fit(near);
      moves[i] = network.params().sub(theta).divi(size);
      lengths[i] = moves[i].norm2Number().doubleValue();
    }
    assertThat(lengths[0]).isPositive();
    assertThat(moves[0].sub(moves[1]).norm2Number().doubleValue()).isLessThan(1e-6 * lengths[0]);
  }

  /** Squares of gradients at the given value, averages of gradients at 0. */
  private static void fill(MultiLayerNetwork network, double square) {
    for (UpdaterBlock block :
        ((BaseMultiLayerUpdater<?>) network.getUpdater()).getUpdaterBlocks()) {
      GradientUpdater<?> updater = block.getGradientUpdater();
      updater.getState().forEach((key, state) -> state.assign(key.equals("M") ? 0 : square));
    }
  }

  /** Labels that make the gradient so many times that of the batch. */
  private static INDArray labelsWithGradient(
      MultiLayerNetwork network, DataSet batch, double factor) {
    INDArray output = network.output(batch.getFeatures());
    return output.sub(output.sub(batch.getLabels()).muli(factor));
  }

  @Test
  void refusesToGuessTheStateOfAnUntrainedAdaptiveUpdater() {
    MultiLayerNetwork network = withoutBias(with(new Adam(0.1)));
    assertThat(network.getUpdater(false)).isNull();
    assertThatIllegalStateException()
        .isThrownBy(() -> READER.parameterWeights(network, 0, 0))
        .withMessageContaining("train for one iteration first");
    assertThat(network.getUpdater(false)).isNull();
  }

  @Test
  void saysWhatAnAdaptiveUpdaterBecomes() {
    MultiLayerNetwork network = withoutBias(with(new Adam(0.1)));
    assertThat(READER.read(network, 0, 0, BATCH).toString())
        .startsWith("APPROXIMATE (the preconditioner of Adam is held fixed")
        .contains(": Adam as SGD, learning rate 0.1, batch size 6")
        .contains("moving average of gradients 0.9", "held fixed", "tiny neighbourhood");
  }

  @Test
  void readsTheRateSetAtRunTime() {
    MultiLayerNetwork network = withoutBias(with(new Sgd(0.1)));
    network.setLearningRate(0.04);
    assertThat(READER.read(network, 0, 0, BATCH).sgd()).isEqualTo(SgdStep.of(0.04, BATCH));
  }

  @Test
  void readsAScheduleByEpoch() {
    MapSchedule byEpoch = new MapSchedule(ScheduleType.EPOCH, Map.of(0, 0.1, 2, 0.01));
    MultiLayerNetwork network = withoutBias(with(new Sgd(byEpoch)));
    assertThat(READER.read(network, 500, 1, BATCH).sgd().learningRate()).isEqualTo(0.1);
    assertThat(READER.read(network, 500, 2, BATCH).sgd().learningRate()).isEqualTo(0.01);
  }

  @Test
  void remarksThatBiasesAreSparedTheDecay() {
    TrainingStep step = read(with(new Sgd(0.1)).l2(0.01));
    assertThat(step.sgd().l2()).isEqualTo(0.01);
    assertThat(step.sgd().hasUnevenDecay()).isTrue();
    assertThat(step.remarks()).containsExactly("biases do not decay; that is in λ and μ");
    assertThat(step.toString()).startsWith("EXACT: SGD, learning rate 0.1").contains("biases");
    assertThat(step.groups().orElseThrow().members())
        .containsExactly(
            new ParameterGroup(Momentum.NONE, 0.01, 0), new ParameterGroup(Momentum.NONE, 0, 0));
    TrainingStep alike = step.withoutGroups();
    assertThat(alike.groups()).isEmpty();
    assertThat(alike.toString())
        .startsWith(
            "APPROXIMATE (all parameters are taken to decay alike: full-batch η_c is right");
  }

  @Test
  void readsMemoriesThatDifferAsGroups() {
    TrainingStep step = read(with(new Nesterovs(0.1, 0.9)).biasUpdater(new Sgd(0.05)));
    assertThat(step.level()).isEqualTo(Level.exact());
    assertThat(step.hasOneMemory()).isFalse();
    assertThat(step.groups().orElseThrow().members())
        .containsExactly(
            new ParameterGroup(new Momentum.Nesterov(0.9), 0, 0),
            new ParameterGroup(Momentum.NONE, 0, 0));
    assertThat(step.remarks())
        .anyMatch(remark -> remark.startsWith("parameters keep memories of their own: Nesterov"));
    assertThat(step.withoutGroups().level()).isInstanceOf(Level.Observed.class);
  }

  @Test
  void remarksOnClipping() {
    var clipped =
        with(new Sgd(0.1))
            .gradientNormalization(GradientNormalization.ClipL2PerLayer)
            .gradientNormalizationThreshold(0.5);
    assertThat(read(clipped).remarks())
        .containsExactly("gradient clipping (ClipL2PerLayer, 0.5) is taken as inactive");
  }

  @Test
  void leavesFrozenLayersOut() {
    var configuration =
        with(new Sgd(0.1))
            .list()
            .layer(
                new FrozenLayerWithBackprop(
                    new DenseLayer.Builder().nIn(2).nOut(2).updater(new Adam(1)).build()))
            .layer(output())
            .build();
    assertThat(READER.read(Networks.initialise(configuration, 1), 0, 0, BATCH).sgd())
        .isEqualTo(SgdStep.of(0.1, BATCH));
  }

  record Refusal(String named, NeuralNetConfiguration.Builder configuration) {
    @Override
    public String toString() {
      return named;
    }
  }

  /** It moves nothing of the linearised step, but where a step carries a parameter over 0. */
  @Test
  void countsTheParametersThatL1CarriesOverZero() {
    MultiLayerNetwork network = Networks.regression(with(new Sgd(0.1)).l1(0.1), 3, 4, 2);
    network.getLayer(0).getParam("W").assign(1);
    network.getLayer(1).getParam("W").assign(-1);
    assertThat(READER.read(network, 0, 0, BATCH).level()).isEqualTo(Level.exact());
    network.getLayer(0).getParam("W").putScalar(0, 0.005);
    assertThat(READER.read(network, 0, 0, BATCH).toString())
        .startsWith("APPROXIMATE (l1 is taken for constant: 1 of 20 parameters");
  }

  static Stream<Refusal> refusals() {
    return Stream.of(
        new Refusal("AdaBelief", with(new AdaBelief(0.1))),
        new Refusal(
            "NonNegativeConstraint",
            with(new Sgd(0.1)).constrainWeights(new NonNegativeConstraint())),
        new Refusal(
            "The gradient normalisation of DenseLayer",
            with(new Sgd(0.1)).gradientNormalization(GradientNormalization.RenormalizeL2PerLayer)),
        new Refusal("momentum", with(new Adam(0.1)).l2(0.01).biasUpdater(new RmsProp(0.1))),
        new Refusal("LBFGS", with(new Sgd(0.1)).optimizationAlgo(OptimizationAlgorithm.LBFGS)));
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void refusesByName(Refusal refusal) {
    assertThatThrownBy(() -> read(refusal.configuration()))
        .isInstanceOf(UnsupportedTrainingException.class)
        .hasMessageContaining(refusal.named())
        .hasMessageContaining("is not supported: ");
  }

  /** What a listener sees in {@code iterationDone} is not what the constraint leaves. */
  @Test
  void readsLargestNormsBeforeTheyAreAppliedAfterIterationDone() {
    var configuration = with(new Sgd(0.1)).constrainWeights(new MaxNormConstraint(0.01, 1));
    MultiLayerNetwork network = Networks.regression(configuration, 3, 4, 2);
    List<INDArray> seen = new ArrayList<>();
    network.setListeners(
        new BaseTrainingListener() {
          @Override
          public void iterationDone(Model model, int iteration, int epoch) {
            seen.add(model.params().dup());
          }
        });
    network.fit(Networks.data(1, BATCH, 3, 2, DataType.DOUBLE));
    assertThat(seen.get(0).distance2(network.params())).isGreaterThan(0.1);
    String between = READER.read(network, 0, 0, BATCH).level().toString();
    network.setParams(seen.get(0));
    assertThat(READER.read(network, 0, 0, BATCH).level().toString())
        .isEqualTo(between)
        .startsWith("APPROXIMATE (7 of 7 weight vectors stay at their largest norm: ");
  }

  /** A decay is that of a step: a layer's own rate is in it. */
  @Test
  void readsDecayThatDiffersBetweenLayersAsGroups() {
    MultiLayerConfiguration configuration =
        with(new Sgd(0.1))
            .l2(0.01)
            .list()
            .layer(
                new DenseLayer.Builder().nIn(2).nOut(2).name("first").updater(new Sgd(1)).build())
            .layer(output())
            .build();
    TrainingStep step = READER.read(Networks.initialise(configuration, 1), 0, 0, BATCH);
    assertThat(step.sgd().learningRate()).isEqualTo(1);
    assertThat(step.groups().orElseThrow().members())
        .extracting(ParameterGroup::l2)
        .containsExactly(0.01, 0.0, 0.001);
  }

  /** Deeplearning4j never decays the parameters of batch normalisation. */
  @Test
  void remarksThatLayersAreSparedTheDecay() {
    var configuration =
        with(new Sgd(0.1))
            .l2(0.01)
            .list()
            .layer(new BatchNormalization.Builder().nIn(2).nOut(2).build())
            .layer(output())
            .build();
    MultiLayerNetwork network = new MultiLayerNetwork(configuration);
    network.init();
    TrainingStep step = READER.read(network, 0, 0, BATCH);
    assertThat(step.sgd()).isEqualTo(SgdStep.of(0.1, BATCH).withL2(0.01).withDecayInPart(true));
    assertThat(step.remarks().get(0)).startsWith("gamma of ").contains(" do not decay; ");
  }

  @Test
  void aCommonDecayIsNoRemark() {
    SgdStep step = read(with(new Sgd(0.1)).l2(0.01).l2Bias(0.01)).sgd();
    assertThat(step).isEqualTo(SgdStep.of(0.1, BATCH).withL2(0.01));
  }

  /** The larger decay bounds λ from below. */
  @Test
  void biasesMayHaveADecayOfTheirOwn() {
    TrainingStep step = read(with(new Sgd(0.1)).l2(0.01).l2Bias(0.03));
    assertThat(step.sgd()).isEqualTo(SgdStep.of(0.1, BATCH).withL2(0.03).withDecayInPart(true));
    assertThat(step.remarks().get(0)).contains("do not decay as the others do");
  }

  @Test
  void whatDoesNotMoveIsNotSpared() {
    var configuration = with(new Sgd(0.1)).biasUpdater(new Sgd(0.0)).l2(0.01);
    assertThat(read(configuration).sgd().hasUnevenDecay()).isFalse();
  }

  @Test
  void leavesRunningStatisticsOut() {
    var configuration =
        with(new Sgd(0.1))
            .list()
            .layer(new BatchNormalization.Builder().nIn(2).nOut(2).build())
            .layer(output())
            .build();
    MultiLayerNetwork network = new MultiLayerNetwork(configuration);
    network.init();
    assertThat(READER.read(network, 0, 0, BATCH).sgd()).isEqualTo(SgdStep.of(0.1, BATCH));
  }

  @Test
  void refusesTheRegularisationThatHitsShiftedSlices() {
    var builder = with(new Sgd(0.1)).l2(0.01).list();
    var configuration =
        builder
            .layer(
                new SeparableConvolution2D.Builder(2, 2).nIn(1).nOut(2).depthMultiplier(1).build())
            .layer(
                new OutputLayer.Builder(LossFunction.MSE)
                    .nOut(1)
                    .activation(Activation.IDENTITY)
                    .build())
            .setInputType(InputType.convolutional(3, 3, 1))
            .build();
    MultiLayerNetwork network = new MultiLayerNetwork(configuration);
    network.init();
    assertThatThrownBy(() -> READER.read(network, 0, 0, BATCH))
        .isInstanceOf(UnsupportedTrainingException.class)
        .hasMessageContaining("wrong slice");
  }

  @Test
  void refusesTheBiasUpdaterThatHitsShiftedSlices() {
    var configuration =
        with(new Sgd(0.1))
            .biasUpdater(new Sgd(0.2))
            .list()
            .layer(new DepthwiseConvolution2D.Builder(2, 2).nIn(1).depthMultiplier(2).build())
            .layer(
                new OutputLayer.Builder(LossFunction.MSE)
                    .nOut(1)
                    .activation(Activation.IDENTITY)
                    .build())
            .setInputType(InputType.convolutional(3, 3, 1))
            .build();
    MultiLayerNetwork network = new MultiLayerNetwork(configuration);
    network.init();
    assertThatThrownBy(() -> READER.read(network, 0, 0, BATCH))
        .isInstanceOf(UnsupportedTrainingException.class)
        .hasMessageContaining("The updater of the biases of DepthwiseConvolution2D")
        .hasMessageContaining("wrong slice");
  }

  @Test
  void tellsTheLengthOfSegments() {
    var configuration =
        with(new Sgd(0.1))
            .list()
            .layer(new LSTM.Builder().nIn(2).nOut(2).build())
            .layer(
                new RnnOutputLayer.Builder(LossFunction.MSE)
                    .nIn(2)
                    .nOut(1)
                    .activation(Activation.IDENTITY)
                    .build())
            .backpropType(BackpropType.TruncatedBPTT)
            .tBPTTLength(3)
            .build();
    MultiLayerNetwork network = new MultiLayerNetwork(configuration);
    network.init();
    assertThat(StepReader.segmentLength(network)).hasValue(3);
    assertThat(READER.read(network, 0, 0, BATCH).level()).isEqualTo(Level.exact());
    assertThat(StepReader.segmentLength(withoutBias(with(new Sgd(0.1))))).isEmpty();
  }

  @Test
  void readsAGraphAsItReadsANetwork() {
    var configuration =
        with(new Nesterovs(0.1, 0.8))
            .miniBatch(false)
            .graphBuilder()
            .addInputs("in")
            .addLayer("out", output(), "in")
            .setOutputs("out")
            .build();
    ComputationGraph graph = new ComputationGraph(configuration);
    graph.init();
    SgdStep step = READER.read(graph, 0, 0, BATCH).sgd();
    assertThat(step.learningRate()).isEqualTo(0.1 * BATCH);
    assertThat(step.momentum()).isEqualTo(new Momentum.Nesterov(0.8));
  }

  @Test
  void aRateOfZeroIsAStepWithARemark() {
    List<IUpdater> updaters = List.of(new Sgd(0.0), new Nesterovs(0.0, 0.9), new Nadam(0.0));
    for (IUpdater updater : updaters) {
      TrainingStep step = read(with(updater).weightDecay(0.1));
      assertThat(step.sgd().learningRate()).isZero();
      assertThat(step.remarks()).anyMatch(remark -> remark.contains("the learning rate is 0"));
    }
    assertThat(read(with(new Sgd(0.1))).remarks()).noneMatch(r -> r.contains("rate is 0"));
    assertThat(read(with(new Adam(0.0))).remarks())
        .anyMatch(r -> r.contains("steps with the epsilon of Adam"));
  }

  /** What moves alone gives the rate; the weights drop out. */
  @Test
  void biasesThatMoveAloneGiveTheRate() {
    NeuralNetConfiguration.Builder configuration = with(new Sgd(0.0)).biasUpdater(new Sgd(0.2));
    assertThat(read(configuration).sgd().learningRate()).isEqualTo(0.2);
    MultiLayerNetwork network = Networks.regression(configuration, 2, 3, 2);
    INDArray parameterWeights = READER.parameterWeights(network, 0, 0).orElseThrow();
    assertThat(parameterWeights.sumNumber().doubleValue()).isEqualTo(3 + 2);
    assertThat(parameterWeights.maxNumber().doubleValue()).isEqualTo(1);
  }

  @Test
  void refusesADecayThatGoesOnAtRateZero() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> read(with(new Sgd(0.0)).weightDecay(0.1, false)))
        .withMessageContaining("needs a learning rate above 0, got 0 with the decay 0.2 of W");
  }

  @Test
  void doesNotTouchTheModel() {
    MultiLayerNetwork network = withoutBias(with(new Nesterovs(0.1, 0.9)));
    INDArray before = network.params().dup();
    READER.read(network, 0, 0, BATCH);
    assertThat(network.params()).isEqualTo(before);
    assertThat(network.getUpdater(false)).isNull();
  }

  private static NeuralNetConfiguration.Builder with(IUpdater updater) {
    return Networks.configuration(updater, DataType.DOUBLE);
  }

  private static TrainingStep read(NeuralNetConfiguration.Builder configuration) {
    return READER.read(Networks.regression(configuration, 2, 3, 2), 0, 0, BATCH);
  }

  private static OutputLayer output() {
    return new OutputLayer.Builder(LossFunction.MSE)
        .nIn(2)
        .nOut(2)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static MultiLayerNetwork withoutBias(NeuralNetConfiguration.Builder configuration) {
    return Networks.initialise(
        configuration
            .list()
            .layer(
                new DenseLayer.Builder()
                    .nIn(2)
                    .nOut(3)
                    .hasBias(false)
                    .activation(Activation.TANH)
                    .build())
            .layer(
                new OutputLayer.Builder(LossFunction.MSE)
                    .nIn(3)
                    .nOut(2)
                    .hasBias(false)
                    .activation(Activation.IDENTITY)
                    .build())
            .build(),
        4);
  }

  private static MultiLayerNetwork withFirstLayerAtHalfTheRate(
      NeuralNetConfiguration.Builder configuration) {
    IUpdater half = configuration.getIUpdater().clone();
    if (half.hasLearningRate()) {
      half.setLrAndSchedule(half.getLearningRate(0, 0) / 2, null);
    }
    return Networks.initialise(
        configuration
            .list()
            .layer(
                new DenseLayer.Builder()
                    .nIn(2)
                    .nOut(3)
                    .updater(half)
                    .activation(Activation.TANH)
                    .build())
            .layer(
                new OutputLayer.Builder(LossFunction.MSE)
                    .nIn(3)
                    .nOut(2)
                    .activation(Activation.IDENTITY)
                    .build())
            .build(),
        4);
  }

  private static INDArray meanGradient(MultiLayerNetwork network, DataSet batch) {
    network.setInput(batch.getFeatures());
    network.setLabels(batch.getLabels());
    network.computeGradientAndScore();
    return network.gradient().gradient().dup().reshape(network.numParams()).divi(BATCH);
  }
}
