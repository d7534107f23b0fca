// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.gram.NtkGramResult;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.dl4j.step.StepReader;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Segments of truncated backpropagation through time, each of which makes a step of its own.
 *
 * <p>The exact linearisation of the step on segment s is δ ← δ − (η/B) J̄_sᵀ H Σ_{o≤s} J_{s,o} δ_o,
 * where Deeplearning4j 1.0.0-M2.1 computes J̄ from the zero state: no symmetric matrix, and with no
 * sign below the edge. Here every segment is a series of its own from the zero state, and those of
 * a mini-batch are taken in order. On trained and untrained recurrent networks the edge of that was
 * 23 % below to 43 % above the true one.
 *
 * <p>Time steps behind the last whole segment are left out.
 *
 * @param count segments of a series; 1 if series are not cut
 * @param length time steps of a segment
 */
record Segments(int count, int length) {
  private static final double FACTOR = 1.5;

  static Segments of(Model model, MultiDataSet probe) {
    OptionalInt length = StepReader.segmentLength(model);
    if (length.isEmpty() || probe.getFeatures() == null || probe.getLabels() == null) {
      return new Segments(1, 0);
    }
    boolean series =
        Stream.concat(Arrays.stream(probe.getFeatures()), Arrays.stream(probe.getLabels()))
            .allMatch(array -> array != null && array.rank() == 3);
    long steps = series ? probe.getFeatures(0).size(2) : 0;
    return new Segments((int) Math.max(1, steps / length.getAsInt()), length.getAsInt());
  }

  boolean isCut() {
    return count > 1;
  }

  Level level() {
    return isCut()
        ? new Level.Approximate(
            "each of the " + count + " segments of a series is one of its own from the zero state",
            "the edge was 23 % too low to 43 % too high where measured; what one segment hands to the next is left"
                + " out, and Deeplearning4j 1.0.0-M2.1 does not differentiate it; below the edge the"
                + " sign of λ is not decided",
            FACTOR)
        : Level.exact();
  }

  /** The segments as examples: segment s of series i is number i·count + s. */
  MultiDataSet of(MultiDataSet whole) {
    if (!isCut()) {
      return whole;
    }
    return new org.nd4j.linalg.dataset.MultiDataSet(
        cut(whole.getFeatures()),
        cut(whole.getLabels()),
        cut(whole.getFeaturesMaskArrays()),
        cut(whole.getLabelsMaskArrays()));
  }

  private INDArray[] cut(INDArray[] arrays) {
    return arrays == null
        ? null
        : Arrays.stream(arrays)
            .map(array -> array == null ? null : cut(array))
            .toArray(INDArray[]::new);
  }

  private INDArray cut(INDArray array) {
    int examples = (int) array.size(0);
    List<INDArray> parts = new ArrayList<>();
    for (int i = 0; i < examples; i++) {
      for (int s = 0; s < count; s++) {
        var example = NDArrayIndex.interval(i, i + 1);
        var steps = NDArrayIndex.interval((long) s * length, (long) (s + 1) * length);
        parts.add(
            array.rank() == 3
                ? array.get(example, NDArrayIndex.all(), steps).dup()
                : array.get(example, steps).dup());
      }
    }
    return Nd4j.concat(0, parts.toArray(INDArray[]::new));
  }

  /** Batches of series as batches of their first segments. */
  List<int[]> of(List<int[]> batches) {
    return batches.stream()
        .map(batch -> Arrays.stream(batch).map(i -> i * count).toArray())
        .toList();
  }

  /** The step that takes the segments of one mini-batch after the other. */
  SgdStep of(SgdStep step, int examples) {
    return isCut()
        ? step.withSampling(MiniBatchSampling.ORDERED_EPOCHS)
            .withBatchSize(Math.min(step.batchSize(), examples / count))
        : step;
  }

  /** The matrix of all segments, those of the same number of a mini-batch side by side. */
  Kernel.Matrix ordered(NtkGramResult result, int batchSize) {
    GramMatrix all = result.gram();
    double[] residuals = result.fit().residuals();
    if (!isCut()) {
      Optional<GroupedGram> grouped =
          result.groups().isEmpty()
              ? Optional.empty()
              : Optional.of(new GroupedGram(all, result.groups()));
      return new Kernel.Matrix(all, grouped, residuals, result.fit().loss(), result.assumptions());
    }
    int series = all.examples() / count;
    int size = Math.min(batchSize, series);
    int[] order =
        IntStream.range(0, (series + size - 1) / size)
            .flatMap(
                batch ->
                    IntStream.range(0, count)
                        .flatMap(
                            s ->
                                IntStream.range(batch * size, Math.min(series, (batch + 1) * size))
                                    .map(i -> i * count + s)))
            .toArray();
    int outputs = all.outputs();
    double[] own =
        Arrays.stream(order)
            .boxed()
            .flatMapToDouble(i -> Arrays.stream(residuals, i * outputs, (i + 1) * outputs))
            .toArray();
    return new Kernel.Matrix(
        all.subset(order),
        Optional.empty(),
        own,
        result.fit().loss() * count,
        result.assumptions());
  }
}
