// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.MatrixProduct;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Gram matrices whose products are wrong, as those of a bad kernel are. */
class ProductCheckTest {
  private static final int N = 24;

  /** As those of OpenBLAS 0.3.19 for Cooper Lake: a part of the entries is wrong. */
  private static final Tile.Product WRONG =
      (a, b, c, transposeA, transposeB) -> {
        Tile.Product.NATIVE.multiply(a, b, c, transposeA, transposeB);
        long last = c.size(1) - 1;
        c.putScalar(last, last, 1.5 * c.getDouble(last, last) + 1);
      };

  private static MultiLayerNetwork network(DataType type) {
    return Networks.network(
        type,
        5,
        new DenseLayer.Builder().nIn(7).nOut(11).activation(Activation.TANH).build(),
        new OutputLayer.Builder(LossFunction.MSE)
            .nIn(11)
            .nOut(3)
            .activation(Activation.IDENTITY)
            .build());
  }

  private static NtkGram.Builder builder(DataType type) {
    return NtkGram.builder(network(type))
        .probe(
            new DataSet(
                Networks.gaussian(3, N, 7).castTo(type), Networks.gaussian(4, N, 3).castTo(type)));
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void wrongProductsAreFormedAgainInJavaAndSaidSo(DataType type) {
    try (NtkGram gram = builder(type).build();
        NtkGram rescued = builder(type).products(WRONG, MatrixProduct::inJava).build()) {
      NtkGramResult expected = gram.compute(parameters(type));
      NtkGramResult found = rescued.compute(parameters(type));

      assertThat(expected.assumptions()).isEmpty();
      assertThat(found.assumptions())
          .containsExactly(
              "the Gram matrix of 72 rows was wrong by native products: G x was not J(Jᵀx); Java"
                  + " took their place");
      double tolerance = type == DataType.FLOAT ? 1e-5 : 1e-13;
      GramMatrix truth = expected.gram();
      for (int i = 0; i < truth.size(); i++) {
        for (int j = 0; j < truth.size(); j++) {
          assertThat(found.gram().get(i, j))
              .isCloseTo(truth.get(i, j), within(tolerance * truth.trace()));
        }
      }
      assertThat(found.fit().loss()).isEqualTo(expected.fit().loss());
    }
  }

  /** Such matrices are refused as no Gram matrices, which must not be all that is said. */
  @ParameterizedTest
  @ValueSource(doubles = {-1000, Double.NaN, Double.POSITIVE_INFINITY})
  void aMatrixThatIsNotEvenAGramMatrixIsFormedAgainToo(double entry) {
    Tile.Product wrong =
        (a, b, c, transposeA, transposeB) -> {
          Tile.Product.NATIVE.multiply(a, b, c, transposeA, transposeB);
          c.putScalar(0, 0, entry);
        };
    try (NtkGram gram = builder(DataType.DOUBLE).products(wrong, MatrixProduct::inJava).build()) {
      NtkGramResult found = gram.compute(parameters(DataType.DOUBLE));

      assertThat(found.assumptions()).hasSize(1);
      assertThat(found.gram().get(0, 0)).isPositive();
    }
  }

  @Test
  void aNetworkThatDivergedIsNoFaultOfTheLibrary() {
    INDArray diverged = parameters(DataType.DOUBLE).dup();
    diverged.putScalar(3, Double.NaN);
    try (NtkGram gram = builder(DataType.DOUBLE).build()) {
      assertThatThrownBy(() -> gram.compute(diverged))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("must be finite");
    }
  }

  @Test
  void whereNeitherWayIsRightThereIsNoMatrix() {
    try (NtkGram gram = builder(DataType.DOUBLE).products(WRONG, WRONG).build()) {
      assertThatThrownBy(() -> gram.compute(parameters(DataType.DOUBLE)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageStartingWith(
              "the Gram matrix of 72 rows was wrong by native products: G x was not J(Jᵀx), nor was"
                  + " it with products in Java; ")
          .hasMessageContaining("OPENBLAS_CORETYPE");
    }
  }

  @Test
  void productsThatAreNotThoseOfASymmetricMatrixAreRefused() {
    double[][] g = {{2, 1, 0}, {1, 3, 1}, {0, 1, 4}};
    UnaryOperator<double[]> right =
        v ->
            Stream.of(g)
                .mapToDouble(row -> row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
                .toArray();
    UnaryOperator<double[]> wrong =
        v -> {
          double[] image = right.apply(v);
          image[2] += 1e-6 * v[0];
          return image;
        };
    ProductCheck.requireSymmetric(right, 3, 0x1p-53);
    assertThatThrownBy(() -> ProductCheck.requireSymmetric(wrong, 3, 0x1p-53))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("not symmetric");
  }

  private static INDArray parameters(DataType type) {
    return network(type).params();
  }
}
