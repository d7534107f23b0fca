// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.gram.Weighting;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Full-batch descent on 20 points of the Chebyshev polynomial T₆ with a 1-30-20-1 tanh network, a
 * deterministic run to the edge of stability. The expected numbers come from two implementations
 * that share no code with this library or with Deeplearning4j and agree to 12 digits up to step
 * 400; they are for ½·mean of squares, so that the rate η here is η/2 for Deeplearning4j's mean of
 * squares.
 */
class ChebyshevEdgeTest {
  private static final int POINTS = 20;
  private static final double RATE = 0.2;

  private final DataSet data = data();

  @ParameterizedTest
  @CsvSource({
    "0, 0.307124793524, 6.90215, 6.85710, 2.18017, 0.04781, 9.12770",
    "1, 0.287692332285, 6.76775, 6.76728, 2.17010, 0.04978, 9.02934",
    "10, 0.281244938234, 6.75780, 6.75883, 2.17054, 0.04984, 9.02128",
    "100, 0.245746203282, 7.21146, 7.22294, 2.33701, 0.17515, 9.88427",
    "380, 0.165003645693, 9.98878, 9.96627, 3.73648, 0.70211, 15.14536"
  })
  void reproducesTheTrajectory(
      int step,
      double loss,
      double sharpness,
      double first,
      double second,
      double third,
      double trace) {
    MultiLayerNetwork network = network(RATE);
    train(network, step);
    assertThat(network.score(data) / 2).isCloseTo(loss, within(1e-9 * loss));
    assertThat(hessianSharpness(network)).isCloseTo(sharpness, within(1e-4 * sharpness));
    GramMatrix kernel = kernel(network);
    GramSpectrum spectrum = GramSpectrum.eigenvaluesOnly(kernel);
    assertThat(spectrum.eigenvalue(POINTS - 1) / POINTS).isCloseTo(first, within(1e-4 * first));
    assertThat(spectrum.eigenvalue(POINTS - 2) / POINTS).isCloseTo(second, within(1e-4 * second));
    assertThat(spectrum.eigenvalue(POINTS - 3) / POINTS).isCloseTo(third, within(2e-4 * third));
    assertThat(kernel.trace() / POINTS).isCloseTo(trace, within(1e-4 * trace));
  }

  @Test
  void theListenerSeesTheApproachToTheEdge() {
    List<Checkpoint> run = watch(RATE, 2500, 10);
    assertThat(run.get(0).stability().classicEdgeRatio()).isCloseTo(6.76728 / 10, within(1e-4));
    List<Checkpoint> lastFifth = run.subList(run.size() * 4 / 5, run.size());
    double mean =
        lastFifth.stream().mapToDouble(c -> c.stability().classicEdgeRatio()).average().orElse(0);
    assertThat(mean).isCloseTo(1, within(0.03));
    assertThat(lastFifth).anyMatch(c -> c.stability().gdExponent().sign() == Sign.POSITIVE);
    assertThat(run.get(0).stability().gdExponent().sign()).isEqualTo(Sign.NEGATIVE);
  }

  @Test
  void aSmallRateNeverReachesTheEdge() {
    List<Checkpoint> run = watch(0.04898, 12_000, 500);
    assertThat(run).allMatch(c -> c.stability().classicEdgeRatio() < 0.75);
    assertThat(run.get(run.size() - 1).stability().classicEdgeRatio())
        .isCloseTo(0.71, within(0.02));
    assertThat(run).allMatch(c -> c.stability().gdExponent().sign() == Sign.NEGATIVE);
  }

  @Test
  void aLargeRateDiverges() {
    MultiLayerNetwork network = network(0.5495);
    train(network, 100);
    assertThat(network.score(data)).isLessThan(1);
    train(network, 100);
    assertThat(network.score(data)).isNotCloseTo(0, within(10.0));
  }

  private List<Checkpoint> watch(double rate, int steps, int frequency) {
    MultiLayerNetwork network = network(rate);
    LyapunovListener listener =
        LyapunovListener.builder(data)
            .settings(AnalysisSettings.standard().withSeed(0))
            .frequency(frequency)
            .build();
    network.setListeners(listener);
    train(network, steps);
    listener.close();
    assertThat(listener.failures()).isZero();
    return listener.history();
  }

  private void train(MultiLayerNetwork network, int steps) {
    for (int t = 0; t < steps; t++) {
      network.fit(data);
    }
  }

  private GramMatrix kernel(MultiLayerNetwork network) {
    try (NtkGram ntk = NtkGram.builder(network).probe(data).weighting(Weighting.PLAIN).build()) {
      return ntk.compute(network.params()).gram();
    }
  }

  /**
   * Largest eigenvalue of the Hessian of ½·mean of squares, by power iteration on differences of
   * gradients.
   */
  private double hessianSharpness(MultiLayerNetwork network) {
    MultiLayerNetwork copy = network(RATE);
    INDArray parameters = network.params();
    INDArray direction = Nd4j.ones(DataType.DOUBLE, parameters.length());
    double eigenvalue = 0;
    for (int i = 0; i < 60; i++) {
      direction.divi(direction.norm2Number());
      INDArray step = direction.mul(1e-5);
      INDArray product =
          gradient(copy, parameters.add(step)).subi(gradient(copy, parameters.sub(step)));
      product.divi(2 * 2e-5);
      eigenvalue = Nd4j.getBlasWrapper().dot(direction, product);
      direction = product;
    }
    return eigenvalue;
  }

  private INDArray gradient(MultiLayerNetwork network, INDArray parameters) {
    network.setParams(parameters);
    network.setInput(data.getFeatures());
    network.setLabels(data.getLabels());
    network.computeGradientAndScore();
    return network.gradient().gradient().reshape(parameters.length()).div(POINTS);
  }

  private static MultiLayerNetwork network(double rate) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            Networks.configuration(new Sgd(rate / 2), DataType.DOUBLE)
                .list()
                .layer(dense(1, 30))
                .layer(dense(30, 20))
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(20)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();
    Mulberry32 random = new Mulberry32();
    for (int layer = 0; layer < 3; layer++) {
      INDArray weights = network.getLayer(layer).getParam("W");
      double scale = 1 / Math.sqrt((double) weights.size(0));
      for (int out = 0; out < weights.size(1); out++) {
        for (int in = 0; in < weights.size(0); in++) {
          weights.putScalar(in, out, scale * random.nextGaussian());
        }
      }
      network.getLayer(layer).getParam("b").assign(0);
    }
    return network;
  }

  private static DenseLayer dense(int in, int out) {
    return new DenseLayer.Builder().nIn(in).nOut(out).activation(Activation.TANH).build();
  }

  private static DataSet data() {
    double[][] x = new double[POINTS][1];
    double[][] y = new double[POINTS][1];
    for (int i = 0; i < POINTS; i++) {
      x[i][0] = -1 + 2.0 * i / (POINTS - 1);
      y[i][0] = Math.cos(6 * Math.acos(Math.max(-1, Math.min(1, x[i][0]))));
    }
    return new DataSet(Nd4j.create(x), Nd4j.create(y));
  }

  /** The generator of the fixture, seed 0, with Box and Muller's cosine. */
  private static final class Mulberry32 {
    private int state;

    double nextGaussian() {
      double radius = Math.sqrt(-2 * Math.log(next()));
      return radius * Math.cos(2 * Math.PI * next());
    }

    private double next() {
      state += 0x6D2B79F5;
      int t = (state ^ (state >>> 15)) * (1 | state);
      t = (t + (t ^ (t >>> 7)) * (61 | t)) ^ t;
      return Integer.toUnsignedLong(t ^ (t >>> 14)) / 4294967296.0;
    }
  }
}
