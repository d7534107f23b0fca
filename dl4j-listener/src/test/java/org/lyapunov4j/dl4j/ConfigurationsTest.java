// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.AnalysisSettings.SizeComparison;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.AdaMax;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Configurations as public programs have them, small, each watched for one step: what the listener
 * says of each, which docs/configurations.md lists. The mix of kinds is ours, after the kinds that
 * public files have.
 */
class ConfigurationsTest {
  private static final Path PAGE = Path.of("..", "docs", "configurations.md");
  private static final int EXAMPLES = 6;
  private static final int STEPS = 3;

  /** One configuration with data it can be fitted to. */
  private record Configuration(String name, MultiLayerConfiguration conf, DataSet data) {}

  private static INDArray normal(long seed, long... shape) {
    INDArray array = Nd4j.create(DataType.DOUBLE, shape);
    RandomStream random = new RandomStream(seed);
    for (long i = 0; i < array.length(); i++) {
      array.putScalar(i, random.nextGaussian());
    }
    return array;
  }

  private static INDArray classes(int count, int kinds) {
    INDArray labels = Nd4j.zeros(DataType.DOUBLE, count, kinds);
    IntStream.range(0, count).forEach(i -> labels.putScalar(new int[] {i, i % kinds}, 1));
    return labels;
  }

  private static NeuralNetConfiguration.Builder builder(IUpdater updater) {
    return Networks.configuration(updater, DataType.DOUBLE);
  }

  private static Configuration classifier(
      String name, IUpdater updater, UnaryOperator<NeuralNetConfiguration.Builder> change) {
    return classifier(
        name, updater, change, LossFunction.NEGATIVELOGLIKELIHOOD, Activation.SOFTMAX);
  }

  private static Configuration classifier(
      String name,
      IUpdater updater,
      UnaryOperator<NeuralNetConfiguration.Builder> change,
      LossFunction loss,
      Activation activation) {
    return new Configuration(
        "MLP, " + name,
        change
            .apply(builder(updater))
            .list()
            .layer(new DenseLayer.Builder().nIn(4).nOut(5).activation(Activation.RELU).build())
            .layer(new OutputLayer.Builder(loss).nIn(5).nOut(3).activation(activation).build())
            .validateOutputLayerConfig(false)
            .build(),
        new DataSet(normal(1, EXAMPLES, 4), classes(EXAMPLES, 3)));
  }

  private static Configuration convolution(
      String name,
      IUpdater updater,
      boolean normalised,
      UnaryOperator<NeuralNetConfiguration.Builder> change) {
    NeuralNetConfiguration.ListBuilder list = change.apply(builder(updater)).list();
    list.layer(new ConvolutionLayer.Builder(3, 3).nOut(3).activation(Activation.RELU).build());
    if (normalised) {
      list.layer(new BatchNormalization());
    }
    list.layer(new SubsamplingLayer.Builder().kernelSize(2, 2).stride(2, 2).build());
    list.layer(
        new OutputLayer.Builder(LossFunction.MCXENT)
            .nOut(3)
            .activation(Activation.SOFTMAX)
            .build());
    return new Configuration(
        "CNN, " + name,
        list.setInputType(InputType.convolutional(6, 6, 1)).build(),
        new DataSet(normal(2, EXAMPLES, 1, 6, 6), classes(EXAMPLES, 3)));
  }

  private static Configuration recurrent(
      String name,
      IUpdater updater,
      int segment,
      UnaryOperator<NeuralNetConfiguration.Builder> change) {
    NeuralNetConfiguration.ListBuilder list = change.apply(builder(updater)).list();
    list.layer(new LSTM.Builder().nIn(2).nOut(3).activation(Activation.TANH).build());
    list.layer(
        new RnnOutputLayer.Builder(LossFunction.MCXENT)
            .nIn(3)
            .nOut(2)
            .activation(Activation.SOFTMAX)
            .dataFormat(RNNFormat.NCW)
            .build());
    if (segment > 0) {
      list.backpropType(BackpropType.TruncatedBPTT).tBPTTLength(segment);
    }
    INDArray labels = Nd4j.zeros(DataType.DOUBLE, EXAMPLES, 2, 4);
    for (int i = 0; i < EXAMPLES; i++) {
      for (int t = 0; t < 4; t++) {
        labels.putScalar(new int[] {i, (i + t) % 2, t}, 1);
      }
    }
    return new Configuration(
        "LSTM, " + name, list.build(), new DataSet(normal(3, EXAMPLES, 2, 4), labels));
  }

  private static Configuration yolo(
      String name, IUpdater updater, UnaryOperator<NeuralNetConfiguration.Builder> change) {
    INDArray priors = Nd4j.create(new double[][] {{1, 1}, {0.6, 1.4}});
    INDArray labels = Nd4j.zeros(DataType.DOUBLE, EXAMPLES, 5, 2, 2);
    for (int i = 0; i < EXAMPLES; i++) {
      double[] box = {1.2, 0.1 + i % 2, 1.9, 0.8 + i % 2, 1};
      for (int c = 0; c < 5; c++) {
        labels.putScalar(new int[] {i, c, i % 2, 1}, box[c]);
      }
    }
    return new Configuration(
        "YOLO, " + name,
        change
            .apply(builder(updater))
            .list()
            .layer(
                new ConvolutionLayer.Builder(1, 1).nOut(12).activation(Activation.IDENTITY).build())
            .layer(new Yolo2OutputLayer.Builder().boundingBoxPriors(priors).build())
            .setInputType(InputType.convolutional(2, 2, 2))
            .build(),
        new DataSet(normal(4, EXAMPLES, 2, 2, 2), labels));
  }

  private static Configuration centerLoss(IUpdater updater) {
    return new Configuration(
        "CenterLoss, Adam",
        builder(updater)
            .list()
            .layer(new DenseLayer.Builder().nIn(4).nOut(5).activation(Activation.RELU).build())
            .layer(
                new CenterLossOutputLayer.Builder(LossFunction.MCXENT)
                    .nIn(5)
                    .nOut(3)
                    .activation(Activation.SOFTMAX)
                    .build())
            .build(),
        new DataSet(normal(1, EXAMPLES, 4), classes(EXAMPLES, 3)));
  }

  private static UnaryOperator<NeuralNetConfiguration.Builder> l2(double c) {
    return b -> b.l2(c);
  }

  private static UnaryOperator<NeuralNetConfiguration.Builder> renormalised(double c) {
    return b -> b.l2(c).gradientNormalization(GradientNormalization.RenormalizeL2PerLayer);
  }

  private static List<Configuration> configurations() {
    List<Configuration> all = new ArrayList<>();
    UnaryOperator<NeuralNetConfiguration.Builder> plain = b -> b;
    List<IUpdater> updaters =
        List.of(
            new Sgd(0.1),
            new Nesterovs(0.01, 0.9),
            new Adam(1e-3),
            new AMSGrad(1e-3),
            new AdaMax(1e-3),
            new Nadam(1e-3),
            new RmsProp(1e-3),
            new AdaGrad(0.01),
            new AdaDelta());
    for (IUpdater updater : updaters) {
      String name = updater.getClass().getSimpleName();
      all.add(classifier(name, updater, plain));
      all.add(classifier(name + ", l2 1e-4", updater, l2(1e-4)));
      all.add(convolution(name + ", l2 5e-4", updater, false, l2(5e-4)));
    }
    for (IUpdater updater : List.of(new Sgd(0.1), new Nesterovs(0.01, 0.9), new Adam(1e-3))) {
      String name = updater.getClass().getSimpleName();
      all.add(convolution(name + ", batch normalisation", updater, true, plain));
      all.add(convolution(name + ", batch normalisation, l2 1e-4", updater, true, l2(1e-4)));
      all.add(classifier(name + ", dropout", updater, b -> b.dropOut(0.5)));
      all.add(classifier(name + ", weight decay", updater, b -> b.weightDecay(1e-4)));
      all.add(recurrent(name, updater, 0, plain));
      all.add(recurrent(name + ", l2 1e-3", updater, 0, l2(1e-3)));
    }
    all.add(recurrent("Adam, truncated, longer than the series", new Adam(1e-3), 50, plain));
    all.add(recurrent("RmsProp, truncated after 2 steps, l2", new RmsProp(1e-3), 2, l2(1e-3)));
    all.add(recurrent("Adam, truncated after 2 steps", new Adam(1e-3), 2, plain));
    all.add(
        recurrent(
            "Adam, clipped",
            new Adam(1e-3),
            0,
            b ->
                b.gradientNormalization(GradientNormalization.ClipElementWiseAbsoluteValue)
                    .gradientNormalizationThreshold(0.5)));
    all.add(classifier("Adam, renormalised, l2", new Adam(1e-3), renormalised(1e-4)));
    all.add(convolution("Adam, renormalised, l2", new Adam(1e-3), false, renormalised(1e-3)));
    all.add(convolution("RmsProp, renormalised, l2", new RmsProp(1e-3), false, renormalised(1e-3)));
    all.add(classifier("Sgd, renormalised", new Sgd(1e-3), renormalised(0)));
    all.add(yolo("Adam, l2, renormalised", new Adam(1e-3), renormalised(1e-5)));
    all.add(yolo("Nesterovs", new Nesterovs(1e-3, 0.9), plain));
    all.add(yolo("Adam", new Adam(1e-3), plain));
    all.add(classifier("Sgd, l1", new Sgd(0.1), b -> b.l1(1e-4)));
    all.add(classifier("Adam, l1 and l2", new Adam(1e-3), b -> b.l1(1e-4).l2(1e-4)));
    all.add(classifier("Sgd, bias rate", new Sgd(0.1), b -> b.biasUpdater(new Sgd(0.2))));
    all.add(
        classifier(
            "Nesterovs, MSE",
            new Nesterovs(0.01, 0.9),
            plain,
            LossFunction.MSE,
            Activation.IDENTITY));
    all.add(classifier("Adam, XENT", new Adam(1e-3), plain, LossFunction.XENT, Activation.SIGMOID));
    all.add(
        classifier(
            "Sgd, cosine",
            new Sgd(0.1),
            plain,
            LossFunction.COSINE_PROXIMITY,
            Activation.IDENTITY));
    all.add(
        classifier(
            "Sgd, MAE",
            new Sgd(0.1),
            plain,
            LossFunction.MEAN_ABSOLUTE_ERROR,
            Activation.IDENTITY));
    all.add(centerLoss(new Adam(1e-3)));
    all.add(
        classifier("LBFGS", new Sgd(0.1), b -> b.optimizationAlgo(OptimizationAlgorithm.LBFGS)));
    all.add(
        classifier(
            "Sgd, max norm", new Sgd(0.1), b -> b.constrainWeights(new MaxNormConstraint(5, 1))));
    all.add(
        classifier(
            "Nesterovs, other bias updater",
            new Nesterovs(0.01, 0.9),
            b -> b.biasUpdater(new Sgd(0.02))));
    return all;
  }

  private static LyapunovListener listener(Configuration configuration, Tier tier) {
    return LyapunovListener.builder(configuration.data())
        .settings(
            AnalysisSettings.of(tier)
                .withSeed(0)
                .withBatchSize(EXAMPLES)
                .withComparison(SizeComparison.NONE)
                .withAnalyzer(settings -> settings.maxEpochs(16)))
        .schedule(Schedule.everyIterations(1))
        .build();
  }

  private static Checkpoint watch(Configuration configuration) {
    MultiLayerNetwork network = new MultiLayerNetwork(configuration.conf());
    network.init();
    LyapunovListener listener = listener(configuration, Tier.STANDARD);
    network.setListeners(listener);
    network.fit(configuration.data());
    assertThat(listener.failures()).as(configuration.name()).isZero();
    assertThat(listener.isOff()).as(configuration.name()).isFalse();
    assertThat(listener.history()).as(configuration.name()).isNotEmpty();
    Checkpoint last = listener.history().get(listener.history().size() - 1);
    listener.close();
    return last;
  }

  private static String row(Configuration configuration, Checkpoint checkpoint) {
    String why =
        checkpoint.level() instanceof Level.Approximate near
            ? near.approximation()
            : checkpoint.level() instanceof Level.Observed seen ? seen.reason() : "";
    return String.format(
        Locale.ROOT,
        "| %s | %s | %s | %s |",
        configuration.name(),
        checkpoint.level().kind(),
        checkpoint.hasStability()
            ? "edge ratio, λ, verdict"
            : checkpoint.edge().isPresent() ? "edge ratio, a gauge" : "no edge",
        why);
  }

  /** On a difference, copy the expected rows into the page. */
  @Test
  void noneIsSilentAndThePageSaysWhatEachIs() throws Exception {
    List<Configuration> all = configurations();
    List<String> rows = new ArrayList<>();
    int watched = 0;
    int edges = 0;
    for (Configuration configuration : all) {
      Checkpoint checkpoint = watch(configuration);
      rows.add(row(configuration, checkpoint));
      watched += checkpoint.gramBytes() > 0 ? 1 : 0; // the others have their loss alone
      edges += checkpoint.edge().isPresent() ? 1 : 0;
    }
    assertThat(all).hasSizeGreaterThanOrEqualTo(60);
    String table = rows.stream().collect(Collectors.joining("\n"));
    Files.createDirectories(Path.of("target"));
    Files.writeString(Path.of("target", "configurations.txt"), table);
    assertThat(watched).isGreaterThanOrEqualTo((int) Math.ceil(0.98 * all.size()));
    assertThat(edges).isGreaterThanOrEqualTo((int) Math.ceil(0.9 * all.size()));
    assertThat(Files.readString(PAGE)).contains(table);
  }

  /** Of the tiers the lowest, for the others differ in what is done with the matrix alone. */
  @Test
  void trainingOfEachIsBitIdentical() {
    for (Configuration configuration : configurations()) {
      IsolationTest.Outcome undisturbed = train(configuration, null);
      LyapunovListener listener = listener(configuration, Tier.ECONOMY);
      assertThat(train(configuration, listener)).as(configuration.name()).isEqualTo(undisturbed);
      // line searches tell of more steps than fits
      assertThat(listener.history()).as(configuration.name()).hasSizeGreaterThanOrEqualTo(STEPS);
      listener.close();
    }
  }

  private static IsolationTest.Outcome train(
      Configuration configuration, LyapunovListener listener) {
    Nd4j.getRandom().setSeed(19);
    MultiLayerNetwork network = new MultiLayerNetwork(configuration.conf().clone());
    network.init();
    if (listener != null) {
      network.setListeners(listener);
    }
    for (int step = 0; step < STEPS; step++) {
      network.fit(configuration.data().copy());
    }
    return IsolationTest.Outcome.of(network);
  }
}
