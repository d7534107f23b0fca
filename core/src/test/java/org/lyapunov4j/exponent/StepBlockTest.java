// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class StepBlockTest {
  private static final int EXAMPLES = 90;

  private static GramMatrix gram(int outputs) {
    return TestGrams.wishart(EXAMPLES, outputs, 2 * EXAMPLES * outputs, 3);
  }

  private static SgdStep step(GramMatrix gram, int batchSize, MiniBatchSampling sampling) {
    double rate = 0.7 * gram.examples() / gram.trace() * batchSize;
    return SgdStep.of(rate, batchSize).withSampling(sampling).withL2(0.01 / rate);
  }

  private static double[] start(int size) {
    RandomStream random = new RandomStream(5);
    double[] w = new double[size];
    for (int i = 0; i < size; i++) {
      w[i] = random.nextGaussian();
    }
    return w;
  }

  /** Duplicates within a step and between steps, a short last batch, decay, one output and more. */
  @ParameterizedTest
  @CsvSource({
    "1, 1, IID_SUBSETS",
    "1, 1, IID_WITH_REPLACEMENT",
    "1, 3, IID_WITH_REPLACEMENT",
    "2, 2, IID_SUBSETS",
    "1, 4, SHUFFLED_EPOCHS",
    "3, 1, ORDERED_EPOCHS",
    "5, 20, IID_SUBSETS"
  })
  void stepsOfABlockAreThoseTakenOneByOne(int outputs, int batchSize, MiniBatchSampling sampling) {
    GramMatrix gram = gram(outputs);
    SgdStep step = step(gram, batchSize, sampling);
    ResidualCocycle single = new ResidualCocycle(gram, step);
    ResidualCocycle together = new ResidualCocycle(gram, step);
    single.start(start(gram.size()));
    together.start(start(gram.size()));
    MiniBatchSampler one = sampler(gram, step);
    MiniBatchSampler many = sampler(gram, step);
    StepBlock block = new StepBlock(gram, step);
    BlockResponse response = new BlockResponse(block);
    int[] batch = new int[batchSize];
    int perEpoch = one.stepsPerEpoch();
    int taken = 0;
    for (int s = 0; s < perEpoch; s += block.steps()) {
      block.draw(many, perEpoch - s);
      double before = together.energy();
      double expected = 0;
      response.begin(block, together.residual());
      double changes = 0;
      for (int t = 0; t < block.steps(); t++) {
        int size = one.next(batch);
        assertThat(block.size(t)).isEqualTo(size);
        expected += single.applyMeasured(batch, size);
        double factor = together.factor(size);
        changes +=
            t < block.steps() - 1
                ? response.take(block, t, factor)
                : response.takeLast(block, t, factor);
        taken++;
      }
      gram.addColumns(block.indices(), response.coefficients(), block.rows(), together.residual());
      together.follow(block, response.coefficients());
      changes += response.end(block, together.residual());
      assertThat(together.residual()).containsExactly(single.residual(), within(1e-12));
      assertThat(together.coefficients()).containsExactly(single.coefficients(), within(1e-12));
      assertThat(changes).isCloseTo(expected, within(1e-12 * before));
      assertThat(together.energy() - before).isCloseTo(changes, within(1e-11 * before));
    }
    assertThat(taken).isEqualTo(perEpoch);
    assertThat(together.normalise()).isCloseTo(single.normalise(), within(1e-12));
  }

  private static MiniBatchSampler sampler(GramMatrix gram, SgdStep step) {
    return new MiniBatchSampler(
        gram.examples(), step.batchSize(), step.sampling(), new RandomStream(7));
  }

  /** Sixteen rows, as long as that is no more than a 25th of an epoch. */
  @ParameterizedTest
  @CsvSource({"1000, 1, 1, 16", "1000, 1, 3, 6", "90, 1, 1, 3", "90, 5, 1, 3", "90, 1, 90, 1"})
  void lengths(int examples, int outputs, int batchSize, int steps) {
    GramMatrix gram = TestGrams.wishart(examples, outputs, 2, 1);
    assertThat(new StepBlock(gram, SgdStep.of(1, batchSize)).capacity()).isEqualTo(steps);
  }

  @Test
  void stepsWithMemoryComeAlone() {
    SgdStep step = SgdStep.of(1, 1).withMomentum(new Momentum.HeavyBall(0.9));
    StepBlock block = new StepBlock(gram(1), step);
    assertThat(block.capacity()).isEqualTo(1);
    assertThat(block.hasMemory()).isTrue();
  }
}
