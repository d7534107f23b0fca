// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.RandomStream;

/** F Fᵀ against the projection of G, and against G where the space is whole. */
class KrylovSpaceTest {
  private static KrylovSpace space(GramMatrix gram) {
    double[] start = new double[gram.size()];
    gram.multiply(new RandomStream(1).gaussians(gram.size()), start);
    return new KrylovSpace(gram::multiply, gram.outputs(), start);
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
    assertThat(operator.dimension()).isBetween(20, 23);
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
    assertThat(operator.dimension()).isEqualTo(24);
    LargestEigenpair top = LargestEigenpair.of(gram);
    double[] v = top.vector();
    double[] image = product(operator, v);
    for (int i = 0; i < v.length; i++) {
      assertThat(image[i]).isCloseTo(top.value() * v[i], within(1e-8 * top.value()));
    }
    // a projection never has more energy
    double[] x = new RandomStream(5).gaussians(gram.size());
    double[] whole = new double[x.length];
    gram.multiply(x, whole);
    double[] part = product(operator, x);
    double energy = 0;
    double of = 0;
    for (int i = 0; i < x.length; i++) {
      energy += x[i] * whole[i];
      of += x[i] * part[i];
    }
    assertThat(of).isLessThan(energy).isGreaterThan(0.5 * energy);
  }

  @Test
  void severalVectorsAreEachAsAlone() {
    KrylovSpace space = space(DenseTangentOperator.random(30, 3, 70, 0.5, 0.5, 6).gram());
    space.extend(33);
    TangentOperator operator = space.operator();
    TangentOperator.Products products = operator.products(5);
    products.select(new int[] {3, 9, 3, 29}, 4);
    double[][] z = {new RandomStream(1).gaussians(33), new RandomStream(2).gaussians(33)};
    double[][] u = new double[2][15];
    products.outputs(z, u);
    for (int j = 0; j < 2; j++) {
      double[] alone = new double[15];
      products.outputs(z[j], alone);
      assertThat(u[j]).containsExactly(alone);
      assertThat(alone[0]).isEqualTo(alone[6]);
      assertThat(alone).endsWith(0, 0, 0);
    }
  }

  @Test
  void refusesAStartThatIsNoDirection() {
    GramMatrix gram = DenseTangentOperator.random(4, 1, 6, 0, 0, 1).gram();
    assertThatThrownBy(() -> new KrylovSpace(gram::multiply, 1, new double[4]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the start of a Krylov space must be nonzero and finite, got norm 0.0");
  }
}
