// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.RandomStream;

/** What takes the place of G against G: in the space, in the blocks, and where it is whole. */
class KrylovSpaceTest {
  private static KrylovSpace space(GramMatrix gram) {
    return KrylovSpace.of(gram, () -> false, new RandomStream(1));
  }

  private static double[] product(TangentOperator operator, double[] x) {
    double[] y = new double[x.length];
    new TangentGram(operator, 1, () -> false).apply(x, y);
    return y;
  }

  /** Of rank 20, so that no space is larger. */
  @Test
  void aWholeSpaceIsTheMatrix() {
    DenseTangentOperator jacobian = DenseTangentOperator.random(25, 3, 20, 0.5, 0.5, 2);
    GramMatrix gram = jacobian.gram();
    KrylovSpace space = space(gram);
    assertThat(space.isWhole()).isFalse();
    assertThat(space.extend(200)).isBetween(20, 23);
    assertThat(space.isWhole()).isTrue();
    TangentOperator operator = space.operator();
    assertThat(operator.examples()).isEqualTo(25);
    assertThat(operator.outputs()).isEqualTo(3);
    assertThat(operator.dimension()).isBetween(95, 98);
    double[] x = new RandomStream(3).gaussians(gram.size());
    double[] expected = new double[x.length];
    gram.multiply(x, expected);
    assertThat(product(operator, x)).containsExactly(expected, within(1e-10 * gram.trace()));
  }

  @Test
  void whatIsInASmallSpaceIsThatOfTheMatrix() {
    GramMatrix gram = DenseTangentOperator.random(40, 2, 90, 0.8, 0.5, 4).gram();
    KrylovSpace space = space(gram);
    assertThat(space.extend(12)).isEqualTo(12);
    assertThat(space.extend(24)).isEqualTo(24);
    TangentOperator operator = space.operator();
    assertThat(operator.dimension()).isEqualTo(24 + 80);
    LargestEigenpair top = LargestEigenpair.of(gram);
    double[] z = new TangentGram(operator, 1, () -> false).gradient(top.vector());
    assertThat(Vectors.dot(z, 0, z, 0, 24)).isCloseTo(top.value(), within(1e-8 * top.value()));
    assertThat(Vectors.dot(z, z)).isBetween(top.value(), 1.01 * top.value());
  }

  /** What is left of G is positive semidefinite, and its blocks are there. */
  @Test
  void blocksAreThoseOfTheMatrixInAnySpace() {
    GramMatrix gram = DenseTangentOperator.random(40, 3, 90, 0.4, 0.5, 4).gram();
    KrylovSpace space = space(gram);
    for (int size : new int[] {5, 17, 60, 90}) {
      assertThat(space.extend(size)).isEqualTo(size);
      TangentOperator operator = space.operator();
      double kept = 0;
      double[] blocks = new TangentGram(operator, 2, () -> false).blocks();
      TangentOperator.Products products = operator.products(1);
      for (int row = 0; row < 120; row++) {
        int first = row / 3 * 3;
        double[] z = new double[operator.dimension()];
        products.select(new int[] {row / 3}, 1);
        double[] u = new double[3];
        u[row - first] = 1;
        products.addGradient(u, z);
        double inSpace = Vectors.dot(z, 0, z, 0, size);
        kept += inSpace;
        assertThat(inSpace).isLessThanOrEqualTo(gram.get(row, row) * (1 + 1e-12));
        products.outputs(z, u);
        for (int k = 0; k < 3; k++) {
          double expected = gram.get(row, first + k);
          assertThat(u[k]).isCloseTo(expected, within(1e-11 * gram.trace()));
          assertThat(blocks[3 * row + k]).isCloseTo(expected, within(1e-11 * gram.trace()));
        }
      }
      assertThat(space.shareLeft()).isCloseTo(1 - kept / gram.trace(), within(1e-12));
    }
    assertThat(space.shareLeft()).isLessThan(1e-12);
  }

  /**
   * Rounding takes the last vectors of a long basis out of the range of G: with pivots in their
   * order F F_iᵀ was up to 272 times G_ii.
   */
  @Test
  void aLongBasisHasNoMoreEnergyThanTheMatrix() {
    GramMatrix gram = DenseTangentOperator.random(300, 8, 400, 0.4, 0.3, 1).gram();
    KrylovSpace space = KrylovSpace.of(gram, () -> false, new RandomStream(7));
    for (int size : new int[] {384, 392, 400, 408}) {
      assertThat(space.extend(size)).isEqualTo(size);
      double[] blocks = new TangentGram(space.operator(), 2, () -> false).blocks();
      for (int row = 0; row < gram.size(); row++) {
        double expected = gram.get(row, row);
        assertThat(blocks[row * 8 + row % 8]).isCloseTo(expected, within(1e-9 * expected));
      }
    }
    double[] x = new RandomStream(3).gaussians(gram.size());
    double[] expected = new double[x.length];
    gram.multiply(x, expected);
    assertThat(product(space.operator(), x))
        .containsExactly(expected, within(1e-12 * Vectors.norm(expected)));
  }

  /** Rounding of a matrix of floats has directions of its own, which must not be blown up. */
  @Test
  void roundingOfFloatsStaysRounding() {
    DenseTangentOperator jacobian = DenseTangentOperator.random(60, 4, 40, 0.5, 0.5, 2);
    GramMatrix exact = jacobian.gram();
    float[][] entries = new float[240][240];
    for (int i = 0; i < 240; i++) {
      for (int j = 0; j < 240; j++) {
        entries[i][j] = (float) exact.get(i, j);
      }
    }
    KrylovSpace space =
        KrylovSpace.of(GramMatrix.adopt(entries, 60, 4), () -> false, new RandomStream(1));
    for (int size : new int[] {40, 48, 100, 200}) {
      assertThat(space.extend(size)).isEqualTo(size);
      double[] blocks = new TangentGram(space.operator(), 2, () -> false).blocks();
      for (int row = 0; row < 240; row++) {
        double expected = exact.get(row, row);
        assertThat(blocks[row * 4 + row % 4]).isCloseTo(expected, within(1e-5 * expected));
      }
    }
    double[] x = new RandomStream(3).gaussians(240);
    double[] expected = new double[240];
    exact.multiply(x, expected);
    assertThat(product(space.operator(), x))
        .containsExactly(expected, within(1e-5 * Vectors.norm(expected)));
  }

  @Test
  void cancellingEndsAPass() {
    GramMatrix gram = DenseTangentOperator.random(20, 2, 30, 0.5, 0.5, 2).gram();
    KrylovSpace space = KrylovSpace.of(gram, () -> true, new RandomStream(1));
    assertThatThrownBy(() -> space.extend(3)).isInstanceOf(CancellationException.class);
  }

  /** Of several vectors that are multiplied at once, each is what it would be alone. */
  @Test
  void theSpaceIsTheSameForAMatrixAndItsRoot() {
    DenseTangentOperator jacobian = DenseTangentOperator.random(20, 6, 80, 0.5, 0.5, 4);
    TangentGram gram = new TangentGram(jacobian, 2, () -> false);
    double[][] x = new double[6][];
    Arrays.setAll(x, j -> new RandomStream(j).gaussians(120));
    double[][] together = new double[6][120];
    gram.apply(x, together);
    for (int j = 0; j < 6; j++) {
      assertThat(together[j]).isEqualTo(product(jacobian, x[j]));
    }
    KrylovSpace space = KrylovSpace.of(jacobian, gram, new RandomStream(1));
    KrylovSpace ofMatrix = space(jacobian.gram());
    assertThat(space.extend(30)).isEqualTo(ofMatrix.extend(30)).isEqualTo(30);
    double[] image = product(space.operator(), x[0]);
    assertThat(product(ofMatrix.operator(), x[0]))
        .containsExactly(image, within(1e-10 * jacobian.gram().trace()));
  }

  /** Outputs of one linear layer: each eigenvalue has as many directions as there are outputs. */
  @Test
  void sharedEigenvaluesHaveAllTheirDirections() {
    GramMatrix one = DenseTangentOperator.random(12, 1, 12, 0.7, 0.5, 3).gram();
    double[][] shared = new double[36][36];
    for (int i = 0; i < 36; i++) {
      for (int j = 0; j < 36; j++) {
        shared[i][j] = i % 3 == j % 3 ? one.get(i / 3, j / 3) : 0;
      }
    }
    GramMatrix gram = GramMatrix.of(shared, 12, 3);
    KrylovSpace space = space(gram);
    assertThat(space.extend(35)).isEqualTo(35);
    assertThat(space.isWhole()).isFalse();
    assertThat(space.extend(36)).isEqualTo(36);
    assertThat(space.isWhole()).isTrue();
    double[] x = new RandomStream(3).gaussians(36);
    double[] expected = new double[36];
    gram.multiply(x, expected);
    assertThat(product(space.operator(), x))
        .containsExactly(expected, within(1e-11 * gram.trace()));
  }

  /** The identity has one eigenvalue with more directions than there are outputs. */
  @Test
  void aSpaceIsNotWholeBeforeNothingElseIsThere() {
    double[][] identity = new double[40][40];
    for (int i = 0; i < 40; i++) {
      identity[i][i] = 2;
    }
    KrylovSpace space = space(GramMatrix.of(identity, 20, 2));
    assertThat(space.extend(10)).isEqualTo(10);
    assertThat(space.isWhole()).isFalse();
    assertThat(space.extend(50)).isEqualTo(40);
    assertThat(space.isWhole()).isTrue();
    double[] x = new RandomStream(3).gaussians(40);
    double[] image = product(space.operator(), x);
    for (int i = 0; i < 40; i++) {
      assertThat(image[i]).isCloseTo(2 * x[i], within(1e-12));
    }
  }

  @Test
  void productsAreThoseOfTheRows() {
    KrylovSpace space = space(DenseTangentOperator.random(30, 3, 70, 0.5, 0.5, 6).gram());
    assertThat(space.extend(33)).isEqualTo(33);
    TangentOperator operator = space.operator();
    int width = operator.dimension();
    double[][] rows = new double[90][width];
    for (int j = 0; j < width; j++) {
      double[] unit = new double[width];
      unit[j] = 1;
      double[] column = new TangentGram(operator, 1, () -> false).outputs(unit);
      for (int row = 0; row < 90; row++) {
        rows[row][j] = column[row];
      }
    }
    TangentOperator.Products products = operator.products(5);
    int[] batch = {3, 9, 3, 29};
    products.select(batch, 4);
    double[][] z = {new RandomStream(1).gaussians(width), new RandomStream(2).gaussians(width)};
    double[][] u = new double[2][15];
    products.outputs(z, u);
    double[][] gradients = new double[2][width];
    products.addGradient(u, gradients);
    for (int j = 0; j < 2; j++) {
      double[] sum = new double[width];
      for (int row = 0; row < 12; row++) {
        double[] own = rows[3 * batch[row / 3] + row % 3];
        assertThat(u[j][row]).isCloseTo(Vectors.dot(own, z[j]), within(1e-11));
        Vectors.add(u[j][row], own, sum);
      }
      assertThat(u[j]).endsWith(0, 0, 0);
      assertThat(gradients[j]).containsExactly(sum, within(1e-9));
    }
  }

  @Test
  void nothingIsThereWithoutDimensions() {
    KrylovSpace none = space(GramMatrix.of(new double[6][6], 3, 2));
    assertThat(none.extend(4)).isZero();
    assertThat(none.isWhole()).isTrue();
    assertThatThrownBy(none::operator)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("a Krylov space has no operator before it has a dimension");
  }
}
