// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.step.RandomStream;

class TopEigenpairsTest {
  /** Householder reflection of a diagonal matrix: eigenvalues known, no coordinate special. */
  private static UnaryOperator<double[]> operator(double... eigenvalues) {
    return v -> {
      double[] x = reflect(v);
      for (int i = 0; i < x.length; i++) {
        x[i] *= eigenvalues[i];
      }
      return reflect(x);
    };
  }

  private static double[] reflect(double[] v) {
    double sum = 0;
    for (double entry : v) {
      sum += entry;
    }
    double[] result = v.clone();
    for (int i = 0; i < result.length; i++) {
      result[i] -= 2 * sum / result.length;
    }
    return result;
  }

  @Test
  void findsTheLargestWithResidualsThatAreTrue() {
    double[] eigenvalues = new double[200];
    for (int i = 0; i < eigenvalues.length; i++) {
      eigenvalues[i] = Math.pow(0.9, i);
    }
    UnaryOperator<double[]> operator = operator(eigenvalues);
    TopEigenpairs top = TopEigenpairs.of(operator, 200, 3, 1e-9, 200, new RandomStream(1), null);
    assertThat(top.converged()).isTrue();
    assertThat(top.products()).isLessThan(100);
    for (int j = 0; j < 3; j++) {
      assertThat(top.eigenvalues().get(j)).isCloseTo(eigenvalues[j], within(1e-9));
      double[] x = top.eigenvectors().get(j);
      double[] image = operator.apply(x);
      double residual = 0;
      for (int i = 0; i < x.length; i++) {
        double difference = image[i] - top.eigenvalues().get(j) * x[i];
        residual += difference * difference;
      }
      assertThat(Math.sqrt(residual)).isCloseTo(top.residuals().get(j), within(1e-12));
    }
    TopEigenpairs again = TopEigenpairs.of(operator, 200, 3, 1e-6, 200, new RandomStream(2), top);
    TopEigenpairs cold = TopEigenpairs.of(operator, 200, 3, 1e-6, 200, new RandomStream(2), null);
    assertThat(again.products()).isLessThan(cold.products());
  }

  @Test
  void repeatedZeroAndTinySpectraAreExact() {
    assertThat(
            TopEigenpairs.of(operator(0, 0, 0), 3, 2, 1e-10, 9, new RandomStream(1), null)
                .eigenvalues())
        .containsExactly(0.0, 0.0);
    TopEigenpairs repeated =
        TopEigenpairs.of(operator(2, 2, 2, 1), 4, 3, 1e-10, 9, new RandomStream(1), null);
    for (double value : repeated.eigenvalues()) {
      assertThat(value).isCloseTo(2, within(1e-12));
    }
    assertThat(
            TopEigenpairs.of(
                    v -> new double[] {-3 * v[0]}, 1, 1, 1e-10, 1, new RandomStream(1), null)
                .eigenvalues())
        .containsExactly(-3.0);
    TopEigenpairs tiny =
        TopEigenpairs.of(operator(3e-100, 1e-100), 2, 1, 1e-6, 2, new RandomStream(1), null);
    assertThat(tiny.eigenvalues().get(0)).isCloseTo(3e-100, within(1e-110));
  }

  @Test
  void saysWhenTheProductsDidNotSuffice() {
    double[] eigenvalues = new double[100];
    for (int i = 0; i < 100; i++) {
      eigenvalues[i] = 1 - 1e-3 * i;
    }
    assertThat(
            TopEigenpairs.of(operator(eigenvalues), 100, 2, 1e-12, 5, new RandomStream(1), null)
                .converged())
        .isFalse();
  }

  @Test
  void refusesNonsense() {
    assertThatThrownBy(() -> TopEigenpairs.of(v -> v, 2, 3, 1e-6, 5, new RandomStream(1), null))
        .hasMessageContaining("1 … 2, got 3");
    assertThatThrownBy(() -> TopEigenpairs.of(v -> v, 2, 1, 0, 5, new RandomStream(1), null))
        .hasMessageContaining("positive");
  }
}
