// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.hipparchus.linear.MatrixUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lyapunov4j.gram.GramMatrix;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class GramVerifierTest {
  private static final DataSet DATA =
      new DataSet(Networks.gaussian(1, 6, 4), Networks.oneHot(6, 3));

  private static MultiLayerNetwork network(DataType type) {
    return Networks.network(
        type,
        2,
        new DenseLayer.Builder().nIn(4).nOut(5).activation(Activation.TANH).build(),
        new OutputLayer.Builder(LossFunction.MCXENT)
            .nIn(5)
            .nOut(3)
            .activation(Activation.SOFTMAX)
            .build());
  }

  private static GramCheck checkOfMatrixTimes(double factor) {
    MultiLayerNetwork model = network(DataType.DOUBLE);
    Probe probe = Probe.of(DATA.toMultiDataSet(), DataType.DOUBLE);
    Replica replica = Replica.of(model, probe, GramMethod.AUTO, Weighting.CURVATURE);
    GramVerifier verifier =
        new GramVerifier(6, 3, 4, SpotCheck.of(model, probe, replica.outputs()));
    GramAccumulator sum = new GramAccumulator(6, 3, false, Tile.Product.NATIVE, () -> {});
    OutputDerivatives derivatives =
        new OutputDerivatives(replica.outputs().get(0), replica.values()[0], probe.labels()[0]);
    new Sweep(replica, probe, ParameterWeights.ONES)
        .run(
            (o, f) -> verifier.remember(derivatives.derivatives(f, 0, 3, Weighting.CURVATURE)),
            (node, block) -> {
              verifier.add(block, GramMethod.AUTO);
              Contraction.add(block, sum, GramMethod.AUTO);
            });
    GramMatrix scaled = GramMatrix.weightedSum(List.of(sum.toGram()), factor);
    return verifier.check(
        scaled, new GramVerifier.Place(model.params(), null, null), false, 0, List.of());
  }

  @Test
  void aWrongMatrixIsNoticed() {
    assertThat(checkOfMatrixTimes(1).spotDeviation()).isLessThan(1e-14);
    assertThat(checkOfMatrixTimes(1).asymmetry()).isLessThan(1e-14);
    assertThat(checkOfMatrixTimes(1.01).spotDeviation()).isCloseTo(0.01, within(1e-12));
    assertThat(checkOfMatrixTimes(1.01).asymmetry()).isBetween(1e-4, 0.01);
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void rowsAreCheckedInTheMetricToo(DataType type) {
    MultiLayerNetwork model = network(type);
    INDArray parameterWeights = Networks.gaussian(3, model.numParams());
    parameterWeights.muli(parameterWeights);
    try (NtkGram gram = NtkGram.builder(model).probe(DATA).spotChecks(5).build()) {
      GramCheck check = gram.compute(model.params(), parameterWeights).check();
      assertThat(check.spotRows()).isEqualTo(5);
      assertThat(check.spotDeviation()).isLessThan(type == DataType.FLOAT ? 1e-5 : 1e-13);
      assertThat(check.asymmetry()).isLessThan(type == DataType.FLOAT ? 1e-5 : 1e-14);
      assertThat(check.smallestEigenvalue()).isEmpty();
    }
  }

  @Test
  void theSmallestEigenvalueStandsBesideRounding() {
    MultiLayerNetwork model = network(DataType.DOUBLE);
    try (NtkGram gram = NtkGram.builder(model).probe(DATA).eigenvalues(true).build()) {
      NtkGramResult result = gram.compute(model.params());
      double[] eigenvalues =
          new EigenDecompositionSymmetric(MatrixUtils.createRealMatrix(result.gram().toArray()))
              .getEigenvalues();
      GramCheck check = result.check();
      assertThat(check.rounding().getAsDouble())
          .isCloseTo(0x1p-53 * 18 * eigenvalues[0], within(1e-24));
      // the softmax curvature has the kernel (1, 1, 1)ᵀ in every example
      assertThat(Math.abs(check.smallestEigenvalue().getAsDouble()))
          .isLessThan(10 * check.rounding().getAsDouble());
    }
  }

  @Test
  void whatCannotBeCheckedIsSaid() {
    MultiLayerNetwork model =
        Networks.network(
            DataType.DOUBLE,
            5,
            new DenseLayer.Builder().nIn(4).nOut(5).activation(Activation.TANH).build(),
            new BatchNormalization.Builder().nIn(5).nOut(5).build(),
            new OutputLayer.Builder(LossFunction.MSE)
                .nIn(5)
                .nOut(3)
                .activation(Activation.IDENTITY)
                .build());
    try (NtkGram gram = NtkGram.builder(model).probe(DATA).build()) {
      GramCheck check = gram.compute(model.params()).check();
      assertThat(check.spotRows()).isZero();
      assertThat(check.spotDeviation()).isNaN();
      assertThat(check.assumptions())
          .contains("batch normalisation uses its running statistics, which stand still")
          .anyMatch(line -> line.contains("differentiates the statistics of the batch"));
    }
    assertThatThrownBy(() -> NtkGram.builder(model).spotChecks(-1))
        .hasMessageContaining("at least 0, got -1");
  }
}
