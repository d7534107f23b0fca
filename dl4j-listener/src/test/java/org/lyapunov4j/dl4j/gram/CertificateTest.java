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

class CertificateTest {
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

  private static GramCertificate certificateOfMatrixTimes(double factor) {
    MultiLayerNetwork model = network(DataType.DOUBLE);
    Probe probe = Probe.of(DATA.toMultiDataSet(), DataType.DOUBLE);
    Replica replica = Replica.of(model, probe, GramMethod.AUTO, Weighting.CURVATURE);
    Certifier certifier = new Certifier(6, 3, 4, SpotCheck.of(model, probe, replica.outputs()));
    GramAccumulator sum = new GramAccumulator(6, 3, false, Tile.Product.NATIVE, () -> {});
    Seeds seeds = new Seeds(replica.outputs().get(0), replica.values()[0], probe.labels()[0]);
    new Sweep(replica, probe, Metric.ONES)
        .run(
            (o, f) -> certifier.remember(seeds.seeds(f, 0, 3, Weighting.CURVATURE)),
            (node, block) -> {
              certifier.add(block, GramMethod.AUTO);
              Contraction.add(block, sum, GramMethod.AUTO);
            });
    GramMatrix scaled = GramMatrix.weightedSum(List.of(sum.toGram()), factor);
    return certifier.certificate(scaled, model.params(), null, false, 0, List.of());
  }

  @Test
  void aWrongMatrixIsNoticed() {
    assertThat(certificateOfMatrixTimes(1).spotDeviation()).isLessThan(1e-14);
    assertThat(certificateOfMatrixTimes(1).asymmetry()).isLessThan(1e-14);
    assertThat(certificateOfMatrixTimes(1.01).spotDeviation()).isCloseTo(0.01, within(1e-12));
    assertThat(certificateOfMatrixTimes(1.01).asymmetry()).isBetween(1e-4, 0.01);
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void rowsAreCheckedInTheMetricToo(DataType type) {
    MultiLayerNetwork model = network(type);
    INDArray metric = Networks.gaussian(3, model.numParams());
    metric.muli(metric);
    try (NtkGram gram = NtkGram.builder(model).probe(DATA).spotChecks(5).build()) {
      GramCertificate certificate = gram.compute(model.params(), metric).certificate();
      assertThat(certificate.spotRows()).isEqualTo(5);
      assertThat(certificate.spotDeviation()).isLessThan(type == DataType.FLOAT ? 1e-5 : 1e-13);
      assertThat(certificate.asymmetry()).isLessThan(type == DataType.FLOAT ? 1e-5 : 1e-14);
      assertThat(certificate.smallestEigenvalue()).isEmpty();
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
      GramCertificate certificate = result.certificate();
      assertThat(certificate.rounding().getAsDouble())
          .isCloseTo(0x1p-53 * 18 * eigenvalues[0], within(1e-24));
      // the softmax curvature has the kernel (1, 1, 1)ᵀ in every example
      assertThat(Math.abs(certificate.smallestEigenvalue().getAsDouble()))
          .isLessThan(10 * certificate.rounding().getAsDouble());
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
      GramCertificate certificate = gram.compute(model.params()).certificate();
      assertThat(certificate.spotRows()).isZero();
      assertThat(certificate.spotDeviation()).isNaN();
      assertThat(certificate.assumptions())
          .contains("batch normalisation uses its running statistics, which stand still")
          .anyMatch(line -> line.contains("differentiates the statistics of the batch"));
    }
    assertThatThrownBy(() -> NtkGram.builder(model).spotChecks(-1))
        .hasMessageContaining("at least 0, got -1");
  }
}
