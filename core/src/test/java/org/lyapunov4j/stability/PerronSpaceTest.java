// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.stability.PerronSpace.Problem;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class PerronSpaceTest {
  private static final int EXAMPLES = 12;
  private static final int OUTPUTS = 3;

  private static double[] gaussian(RandomStream random, int length) {
    return IntStream.range(0, length).mapToDouble(i -> random.nextGaussian()).toArray();
  }

  private static double[] symmetricBlocks(RandomStream random, int length) {
    double[] blocks = gaussian(random, length);
    for (int from = 0; from < length; from += OUTPUTS * OUTPUTS) {
      for (int i = 0; i < OUTPUTS; i++) {
        for (int j = 0; j < i; j++) {
          blocks[from + i * OUTPUTS + j] = blocks[from + j * OUTPUTS + i];
        }
      }
    }
    return blocks;
  }

  private static ReducedMap map() {
    RandomStream random = new RandomStream(1);
    int size = EXAMPLES * OUTPUTS;
    double[][] factor = new double[size][];
    for (int i = 0; i < size; i++) {
      factor[i] = gaussian(random, size);
    }
    double[][] gram = new double[size][size];
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        gram[i][j] = PerronSpace.dot(factor[i], factor[j]) / size;
      }
    }
    EigenBasis basis =
        new EigenBasis(GramSpectrum.of(GramMatrix.of(gram, EXAMPLES, OUTPUTS)), size);
    return new ReducedMap(basis);
  }

  @Test
  void aFullSpaceMakesRoom() {
    ReducedMap map = map();
    int count = EXAMPLES * OUTPUTS;
    StepMoments moments = StepMoments.of(SgdStep.of(0.3, 2), EXAMPLES, 2);
    Problem problem = new Problem(moments.indexKernel(0.3), count);
    double expected = new PerronSpace(map, map.block(0)).solve(problem, 1e-9).quotient();
    PerronSpace space = new PerronSpace(map, map.block(0));
    RandomStream random = new RandomStream(2);
    for (int i = 0; i < 30; i++) {
      space.add(map.block(i));
    }
    assertThat(space.solve(problem, 1e-9).quotient()).isCloseTo(expected, within(1e-12));
    for (int i = 0; i < 100; i++) {
      space.add(symmetricBlocks(random, map.dimension()));
    }
    assertThat(space.solve(problem, 1e-9).quotient()).isCloseTo(expected, within(1e-12));
  }
}
