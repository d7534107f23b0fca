// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.dl4j.step.NormalisedGradient;
import org.lyapunov4j.dl4j.step.StepReader;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.stability.EdgeReport;
import org.lyapunov4j.stability.ObservedReport;
import org.lyapunov4j.step.MiniBatchSampling;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/** Gradients divided by their norms. */
class NormalisedGradientTest {
  private static final int EXAMPLES = 12;
  private static final double RATE = 0.01;

  private final DataSet data = Networks.data(5, EXAMPLES, 3, 2, DataType.DOUBLE);

  private static MultiLayerNetwork network(IUpdater updater, GradientNormalization normalization) {
    NeuralNetConfiguration.Builder builder = Networks.configuration(updater, DataType.DOUBLE);
    return Networks.regression(builder.gradientNormalization(normalization), 3, 5, 2);
  }

  private static List<NormalisedGradient> parts(MultiLayerNetwork network) {
    return new StepReader(MiniBatchSampling.IID_SUBSETS).normalisations(network);
  }

  /** Plain steps move by the gradient, normalised ones by it over its norm, part by part. */
  @ParameterizedTest
  @EnumSource(
      value = GradientNormalization.class,
      names = {"RenormalizeL2PerLayer", "RenormalizeL2PerParamType"})
  void normsAreThoseOfDeeplearning4j(GradientNormalization normalization) {
    MultiLayerNetwork plain = network(new Sgd(RATE), GradientNormalization.None);
    MultiLayerNetwork normalised = network(new Sgd(RATE), normalization);
    INDArray before = plain.params().dup();
    int[] batch = {0, 1, 2, 3};
    double[] gradient;
    try (NtkGram ntk = NtkGram.builder(plain).probe(data).build()) {
      gradient = ntk.gradients(before, List.of(batch))[0];
    }
    plain.fit(data.batchBy(4).get(0));
    normalised.fit(data.batchBy(4).get(0));
    List<NormalisedGradient> parts = parts(normalised);
    assertThat(parts).hasSize(normalization == GradientNormalization.RenormalizeL2PerLayer ? 2 : 4);
    double[] step = FitDerivative.vector(before.sub(plain.params()));
    double[] normedStep = FitDerivative.vector(before.sub(normalised.params()));
    for (NormalisedGradient part : parts) {
      double norm = part.norm(gradient);
      for (int p = (int) part.from(); p < part.to(); p++) {
        assertThat(gradient[p] * RATE).isCloseTo(step[p], within(1e-12));
        assertThat(gradient[p] * RATE / norm).isCloseTo(normedStep[p], within(1e-12));
      }
    }
  }

  /** So a warning at 1 would be one for ever. */
  @Test
  void withAPlainUpdaterTrainingSitsAtAnEdgeRatioOfOne() {
    MultiLayerNetwork network = network(new Sgd(RATE), GradientNormalization.RenormalizeL2PerLayer);
    for (int t = 0; t < 2000; t++) {
      network.fit(data);
    }
    int[] all = new int[EXAMPLES];
    java.util.Arrays.setAll(all, i -> i);
    try (NtkGram ntk = NtkGram.builder(network).probe(data).build()) {
      double mean = 0;
      for (int t = 0; t < 20; t++) {
        network.fit(data);
        double[] gradient = ntk.gradients(network.params(), List.of(all))[0];
        INDArray parameterWeights = Nd4j.ones(DataType.DOUBLE, network.numParams());
        for (NormalisedGradient part : parts(network)) {
          parameterWeights
              .get(NDArrayIndex.interval(part.from(), part.to()))
              .divi(part.norm(gradient));
        }
        double largest =
            LargestEigenpair.of(ntk.compute(network.params(), parameterWeights).gram()).value();
        mean += RATE * largest / EXAMPLES / 2 / 20;
      }
      assertThat(mean).isBetween(0.8, 1.3);
    }
  }

  @Test
  void withAPlainUpdaterOnlyEffectiveRatesAreShown() {
    LyapunovListener listener =
        LyapunovListener.builder(data)
            .settings(AnalysisSettings.standard().withSeed(0))
            .frequency(1)
            .build();
    MultiLayerNetwork network = network(new Sgd(RATE), GradientNormalization.RenormalizeL2PerLayer);
    network.setListeners(listener);
    network.fit(data);
    Checkpoint checkpoint = listener.history().get(0);
    assertThat(checkpoint.findings()).isInstanceOf(ObservedReport.class);
    assertThat(checkpoint.findings().measuredSharpness()).isPresent();
    assertThat(checkpoint.step().toString())
        .startsWith("OBSERVED")
        .contains(
            "a ratio of 1.0 is normal", "effective learning rates", "for DenseLayer 'layer0'");
  }

  @Test
  void withAnAdaptiveUpdaterTheEdgeRatioIsAGauge() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    LyapunovListener listener =
        LyapunovListener.builder(data)
            .settings(
                AnalysisSettings.standard()
                    .withSeed(0)
                    .withAnalyzer(settings -> settings.maxEpochs(64)))
            .frequency(1)
            .registry(registry)
            .build();
    MultiLayerNetwork network =
        network(new Adam(RATE), GradientNormalization.RenormalizeL2PerLayer);
    network.setListeners(listener);
    network.fit(data);
    Checkpoint checkpoint = listener.history().get(0);
    EdgeReport gauge = (EdgeReport) checkpoint.findings();
    assertThat(gauge.factor()).isEqualTo(2);
    assertThat(checkpoint.level()).isInstanceOf(Level.Approximate.class);
    assertThat(checkpoint.edge().orElseThrow()).endsWith("within a factor of 2");
    assertThat(checkpoint.toString()).contains("APPROXIMATE").doesNotContain("λ");
    assertThat(registry.get("lyapunov.edge.ratio").gauge().value())
        .isEqualTo(gauge.edgeRatio().orElseThrow());
    assertThat(registry.find("lyapunov.exponent").gauge()).isNull();
    assertThat(registry.find("lyapunov.verdict").gauge()).isNull();

    // a weight is the preconditioner over the norm of the only batch there is
    StepReader reader = new StepReader(MiniBatchSampling.IID_SUBSETS);
    INDArray parameterWeights = reader.parameterWeights(network, 0, 0).orElseThrow();
    int[] all = new int[EXAMPLES];
    java.util.Arrays.setAll(all, i -> i);
    try (NtkGram ntk = NtkGram.builder(network).probe(data).build()) {
      double[] gradient = ntk.gradients(network.params(), List.of(all))[0];
      for (NormalisedGradient part : parts(network)) {
        parameterWeights
            .get(NDArrayIndex.interval(part.from(), part.to()))
            .divi(part.norm(gradient));
      }
      double largest =
          LargestEigenpair.of(ntk.compute(network.params(), parameterWeights).gram()).value();
      assertThat(gauge.sharpness()).isCloseTo(largest / EXAMPLES, within(1e-6 * largest));
    }
    listener.close();
  }
}
