// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.stepfunctions.GradientStepFunction;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.MultiLayerUpdater;
import org.deeplearning4j.optimize.Solver;
import org.deeplearning4j.optimize.api.ConvexOptimizer;
import org.deeplearning4j.optimize.solvers.StochasticGradientDescent;
import org.deeplearning4j.optimize.solvers.accumulation.BasicGradientsAccumulator;
import org.deeplearning4j.optimize.solvers.accumulation.LocalHandler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.step.Level;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;

/** Whatever is attached to a model and changes its step is found and named. */
@SuppressWarnings({"serial", "overrides", "deprecation"}) // as Deeplearning4j has them
class AttachedToTheModelTest {
  private static final DataSet DATA = Networks.data(5, 6, 3, 2, DataType.DOUBLE);

  /** A step function that is not the default one. */
  private static final class OtherStepFunction
      implements org.deeplearning4j.optimize.api.StepFunction {
    @Override
    public void step(
        org.nd4j.linalg.api.ndarray.INDArray x,
        org.nd4j.linalg.api.ndarray.INDArray line,
        double step) {
      x.subi(line.mul(2));
    }

    @Override
    public void step(
        org.nd4j.linalg.api.ndarray.INDArray x, org.nd4j.linalg.api.ndarray.INDArray line) {
      step(x, line, 1);
    }

    @Override
    public void step() {}
  }

  private static final class OtherDescent extends StochasticGradientDescent {
    OtherDescent(MultiLayerNetwork network) {
      super(network.conf(), null, List.of(), network);
    }
  }

  private static final class OtherUpdater extends MultiLayerUpdater {
    OtherUpdater(MultiLayerNetwork network) {
      super(network);
    }
  }

  /** A network whose solver can be exchanged. */
  private static final class Open extends MultiLayerNetwork {
    Open(MultiLayerNetwork from) {
      super(from.getLayerWiseConfigurations());
      init(from.params().dup(), false);
    }

    void solveWith(ConvexOptimizer optimizer) {
      solver =
          new Solver() {
            @Override
            public ConvexOptimizer getOptimizer() {
              return optimizer;
            }
          };
    }
  }

  record Case(String named, Consumer<Open> attach) {
    @Override
    public String toString() {
      return named;
    }
  }

  static Stream<Case> cases() {
    return Stream.of(
        new Case(
            "BasicGradientsAccumulator",
            network ->
                network.setGradientsAccumulator(
                    new BasicGradientsAccumulator(1, new LocalHandler()))),
        new Case("OtherDescent", network -> network.solveWith(new OtherDescent(network))),
        new Case(
            "OtherStepFunction",
            network ->
                network.solveWith(
                    new StochasticGradientDescent(
                        network.conf(), new OtherStepFunction(), List.of(), network))),
        new Case("OtherUpdater", network -> network.setUpdater(new OtherUpdater(network))));
  }

  private static NeuralNetConfiguration.Builder configuration() {
    return Networks.configuration(new Sgd(0.1), DataType.DOUBLE);
  }

  private static Checkpoint analyse(MultiLayerNetwork network) {
    return StabilityAnalysis.of(
            network, DATA, AnalysisSettings.standard().withSeed(0).withBatchSize(6))
        .run();
  }

  private static void requireObserved(Checkpoint checkpoint, String named) {
    assertThat(checkpoint.step().toString()).startsWith("OBSERVED").contains(named);
    assertThat(checkpoint.hasStability()).isFalse();
    assertThat(checkpoint.edge()).isEmpty();
    assertThat(checkpoint.findings().measuredSharpness()).isPresent();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isNamed(Case test) {
    Open network = new Open(Networks.regression(configuration(), 3, 4, 2));
    network.fit(DATA);
    assertThat(analyse(network).level()).isEqualTo(Level.exact());
    test.attach().accept(network);
    requireObserved(analyse(network), test.named());
  }

  @Test
  void soIsWhatIsConfigured() {
    requireObserved(
        analyse(
            Networks.regression(configuration().stepFunction(new GradientStepFunction()), 3, 4, 2)),
        "GradientStepFunction");
    for (OptimizationAlgorithm algorithm : OptimizationAlgorithm.values()) {
      if (algorithm != OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT) {
        requireObserved(
            analyse(Networks.regression(configuration().optimizationAlgo(algorithm), 3, 4, 2)),
            algorithm.name());
      }
    }
  }
}
