// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.concurrent.Callable;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.stability.PerronSpace.Problem;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

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
    return new ReducedMap(basis(DataType.DOUBLE, PerronSpaceTest::gemm));
  }

  private static void gemm(
      INDArray a, INDArray b, INDArray c, boolean transposeA, boolean transposeB) {
    Nd4j.gemm(a, b, c, transposeA, transposeB, 1, 0);
  }

  private static EigenBasis basis(DataType type, EigenBasis.Multiplier multiplier) {
    return new EigenBasis(spectrum(EXAMPLES), EXAMPLES * OUTPUTS, type, multiplier);
  }

  private static GramSpectrum spectrum(int examples) {
    RandomStream random = new RandomStream(1);
    int size = examples * OUTPUTS;
    double[][] factor = new double[size][];
    for (int i = 0; i < size; i++) {
      factor[i] = gaussian(random, size);
    }
    double[][] gram = new double[size][size];
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        gram[i][j] = Vectors.dot(factor[i], factor[j]) / size;
      }
    }
    return GramSpectrum.of(GramMatrix.of(gram, examples, OUTPUTS));
  }

  private static double radius(SecondMomentMap map, double[] start) {
    StepMoments moments = StepMoments.of(SgdStep.of(0.3, 2), EXAMPLES, 2);
    Problem problem = new Problem(moments.indexKernel(0.3), EXAMPLES * OUTPUTS);
    return new PerronSpace(map, start).solve(problem, 1e-4).quotient();
  }

  /** Native products that are wrong in one entry, in one column, or everywhere. */
  private enum Fault implements EigenBasis.Multiplier {
    ENTRY {
      @Override
      void spoil(INDArray c) {
        c.putScalar(0, 0, c.getDouble(0, 0) + 0.05);
      }
    },
    COLUMN {
      @Override
      void spoil(INDArray c) {
        c.getColumn(c.columns() - 1).assign(0.1);
      }
    },
    FACTOR {
      @Override
      void spoil(INDArray c) {
        c.muli(1.01);
      }
    },
    NOT_FINITE {
      @Override
      void spoil(INDArray c) {
        c.putScalar(0, 0, Double.NaN);
      }
    };

    abstract void spoil(INDArray c);

    @Override
    public void multiply(INDArray a, INDArray b, INDArray c, boolean ta, boolean tb) {
      gemm(a, b, c, ta, tb);
      spoil(c);
    }
  }

  @ParameterizedTest
  @EnumSource
  void wrongNativeProductsAreNoticedAndReplaced(Fault fault) {
    for (DataType type : new DataType[] {DataType.DOUBLE, DataType.FLOAT}) {
      EigenBasis right = basis(type, PerronSpaceTest::gemm);
      EigenBasis wrong = basis(type, fault);
      double[] start = new ReducedMap(right).block(0);
      double expected = radius(new ReducedMap(right), start);
      assertThat(radius(new ReducedMap(wrong), start)).isCloseTo(expected, within(1e-6));
      assertThat(radius(new TruncatedMap(basis(type, fault), 9, 20), start))
          .isCloseTo(radius(new TruncatedMap(right, 9, 20), start), within(1e-6));
    }
  }

  /** Large enough for strips of products to be formed beside each other. */
  @Test
  void stripsBesideEachOtherGiveTheSameBits() {
    int threads = Nd4j.factory().blas().getMaxThreads();
    try {
      Nd4j.factory().blas().setMaxThreads(1);
      GramSpectrum spectrum = spectrum(250);
      SgdStep step = SgdStep.of(0.3, 4);
      MeanSquareReport one = in(1, () -> MeanSquareStability.of(spectrum).analyze(step));
      MeanSquareReport four = in(4, () -> MeanSquareStability.of(spectrum).analyze(step));
      assertThat(four).isEqualTo(one);
    } finally {
      Nd4j.factory().blas().setMaxThreads(threads);
    }
  }

  private static <T> T in(int threads, Callable<T> task) {
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      return pool.submit(task).join();
    } finally {
      pool.shutdown();
    }
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
