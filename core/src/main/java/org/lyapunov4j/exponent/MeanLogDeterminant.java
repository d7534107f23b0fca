// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.hipparchus.linear.LUDecomposition;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.linear.RealMatrix;
import org.hipparchus.stat.descriptive.StreamingStatistics;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * The sum of all exponents on range(G), of dimension r: E log |det| of one step. By Sylvester's
 * identity the determinant of the r × r factor is one of the batch alone, BK × BK:
 *
 * <pre>
 *   log |det(keep·I − (rate/|S|) F_Sᵀ F_S)|
 *       = (r − |S|K) log |keep| + log |det(keep·I − (rate/|S|) G_SS)|
 * </pre>
 *
 * <p>With momentum of coefficient β, elementary row operations reduce the 2r × 2r factor: its
 * determinant is β^r times keep^r for heavy ball and the moving average, whatever the batch, and
 * β^r times the determinant above with keep − η·l2 for keep in the case of Nesterov momentum.
 */
final class MeanLogDeterminant {
  private static final int MOST_BATCHES = 4096;
  private static final int LEAST_BATCHES = 64;

  /** Large batches are sampled less: about this many flops in all. */
  private static final double WORK = 4e9;

  private final GramMatrix gram;
  private final SgdStep step;
  private final double keep;
  private final double rate;

  private MeanLogDeterminant(GramMatrix gram, SgdStep step, double keep, double rate) {
    this.gram = gram;
    this.step = step;
    this.keep = keep;
    this.rate = rate;
  }

  /**
   * E log |det|.
   *
   * @param rank r, the rank of G
   * @param random for the batches, where they are too many to enumerate
   */
  static Estimate of(GramMatrix gram, int rank, SgdStep step, RandomStream random) {
    if (rank == 0) {
      return Estimate.exact(0);
    }
    StepRecursion update = StepRecursion.of(step);
    double memory = update.hasMemory() ? rank * Math.log(update.memory()) : 0;
    boolean averages = step.momentum() instanceof Momentum.NesterovAverage;
    if (update.hasMemory() && !averages && !(step.momentum() instanceof Momentum.Nesterov)) {
      return Estimate.exact(memory + rank * Math.log(Math.abs(update.keep())));
    }
    double rate = averages ? (1 - update.memory()) * update.rate() : update.rate();
    double keep = update.hasMemory() ? update.keep() - rate * update.l2() : update.keep();
    if (keep == 0) {
      throw new IllegalArgumentException(
          "learning rate × (l2 + weight decay) must not be 1, which erases the parameters, got "
              + step);
    }
    MeanLogDeterminant batches = new MeanLogDeterminant(gram, step, keep, rate);
    Estimate mean = batches.mean(rank, random);
    return new Estimate(memory + mean.value(), mean.standardError());
  }

  private Estimate mean(int rank, RandomStream random) {
    double size = (double) Math.min(step.batchSize(), gram.examples()) * gram.outputs();
    double affordable = WORK / (size * size * size);
    int batches = (int) Math.max(LEAST_BATCHES, Math.min(MOST_BATCHES, affordable));
    OptionalDouble exact =
        BatchLaw.expectation(step, gram.examples(), batches, batch -> logDeterminant(batch, rank));
    return exact.isPresent() ? Estimate.exact(exact.getAsDouble()) : sampled(batches, rank, random);
  }

  /**
   * All whole batches of a shuffled epoch have the same law, so the first of a fresh epoch stands
   * for them; where a smaller one is left over at the end it has its own.
   */
  private Estimate sampled(int samples, int rank, RandomStream random) {
    MiniBatchSampler sampler =
        new MiniBatchSampler(gram.examples(), step.batchSize(), step.sampling(), random);
    int steps = step.sampling().isIndependent() ? 1 : sampler.stepsPerEpoch();
    int[] batch = new int[step.batchSize()];
    StreamingStatistics statistics = new StreamingStatistics();
    for (int s = 0; s < samples; s++) {
      double first = logDeterminant(Arrays.copyOf(batch, sampler.next(batch)), rank);
      double sum = first;
      for (int t = 1; t < steps; t++) {
        int size = sampler.next(batch);
        sum += size == batch.length ? first : logDeterminant(Arrays.copyOf(batch, size), rank);
      }
      if (sum == Double.NEGATIVE_INFINITY) {
        return Estimate.exact(sum);
      }
      statistics.addValue(sum / steps);
    }
    return new Estimate(
        statistics.getMean(), statistics.getStandardDeviation() / Math.sqrt(samples));
  }

  /** An example drawn n times is one row of √n times its length. */
  private double logDeterminant(int[] batch, int rank) {
    int[] times = new int[gram.examples()];
    for (int example : batch) {
      times[example]++;
    }
    int[] drawn = IntStream.of(batch).distinct().toArray();
    int outputs = gram.outputs();
    int size = drawn.length * outputs;
    double alpha = rate / batch.length;
    RealMatrix matrix = MatrixUtils.createRealMatrix(size, size);
    double scale = Math.abs(keep);
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        double move =
            alpha
                * Math.sqrt((double) times[drawn[i / outputs]] * times[drawn[j / outputs]])
                * gram.get(
                    drawn[i / outputs] * outputs + i % outputs,
                    drawn[j / outputs] * outputs + j % outputs);
        scale = Math.max(scale, Math.abs(move));
        matrix.setEntry(i, j, (i == j ? keep : 0) - move);
      }
    }
    double rest = keep == 1 ? 0 : (rank - size) * Math.log(Math.abs(keep));
    return rest + logDeterminant(matrix, Orthonormalisation.NEGLIGIBLE * scale);
  }

  private static double logDeterminant(RealMatrix matrix, double singular) {
    RealMatrix upper = new LUDecomposition(matrix, singular).getU();
    if (upper == null) {
      return Double.NEGATIVE_INFINITY;
    }
    double sum = 0;
    for (int i = 0; i < upper.getRowDimension(); i++) {
      sum += Math.log(Math.abs(upper.getEntry(i, i)));
    }
    return sum;
  }
}
