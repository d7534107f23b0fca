// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Computes {@link NtkFactors}, chunk by chunk of the examples of a probe set, so that no sweep
 * takes more memory than it may. Holds a private copy of the model and of the probe set, as {@link
 * NtkGram} does, and never touches the model.
 */
public final class FactorSweep implements AutoCloseable {
  /** Examples of a chunk, unless they take too much memory. */
  private static final int CHUNK = 256;

  /** Bytes outside the heap that the derivatives of a chunk may take. */
  private static final long SWEEP_BYTES = 1L << 30;

  /** Share of the memory budget that may be spent on what saves time alone. */
  private static final int SPARE_SHARE = 4;

  private final Model model;
  private final MultiDataSet probe;
  private final ChunkOrder order;
  private final int examples;
  private final int chunk;
  private final long memoryBudget;
  private final BooleanSupplier cancelled;
  private final List<String> assumptions;
  private final List<String> noise;
  private final int outputs;
  private final OptionalLong statistics;
  private final long expected;

  private FactorSweep(
      Model live, MultiDataSet data, int chunk, long memoryBudget, BooleanSupplier cancelled) {
    this.chunk = chunk;
    order = ChunkOrder.of(data);
    probe = map(data, order::apply);
    examples = (int) probe.getFeatures(0).size(0);
    this.memoryBudget = memoryBudget;
    this.cancelled = cancelled;
    Probe first = Probe.of(part(probe, 0, Math.min(chunk, examples)), Replica.arithmetic(live));
    try (Replica replica = Replica.of(live, first, GramMethod.AUTO, Weighting.CURVATURE)) {
      outputs = OutputDerivatives.columns(OutputDerivatives.of(replica, first));
      assumptions = List.copyOf(replica.assumptions());
      noise = List.copyOf(replica.noise());
      statistics = NtkGram.statistics(replica, first);
    }
    model = Replica.copy(live, first, new Noise());
    expected = expected();
  }

  /** What the factors will take, from those of the first example; 0 where there are none. */
  private long expected() {
    Sum one = new Sum(spare());
    try {
      add(0, 1, one, model.params(), null);
      if (needed(one, 1) > memoryBudget && one.spent() > 0) {
        one = new Sum(0);
        add(0, 1, one, model.params(), null);
      }
    } catch (UnsupportedModelException tooLarge) {
      return 0;
    }
    return (long) needed(one, 1);
  }

  private long spare() {
    return memoryBudget / SPARE_SHARE;
  }

  /**
   * Copies a model and a probe set.
   *
   * @param model an initialised {@code MultiLayerNetwork} or {@code ComputationGraph}; only read
   * @param probe the examples, with labels, and masks of zeros and ones if need be
   * @param memoryBudget bytes of the Java heap that the factors may take
   * @param cancelled asked before every layer of every chunk; true to stop
   * @return the computation
   * @throws IllegalArgumentException if a layer, loss or shape is not supported
   * @throws CancellationException if cancelled or interrupted
   */
  public static FactorSweep of(
      Model model, MultiDataSet probe, long memoryBudget, BooleanSupplier cancelled) {
    return of(model, probe, CHUNK, memoryBudget, cancelled);
  }

  /** With so many examples at a time. */
  @SuppressWarnings("try") // the isolation is only begun and closed
  static FactorSweep of(
      Model model, MultiDataSet probe, int chunk, long memoryBudget, BooleanSupplier cancelled) {
    try (Isolation isolation = Isolation.begin()) {
      return new FactorSweep(model, probe, chunk, memoryBudget, cancelled);
    }
  }

  /** A copy of some examples in a row. */
  static MultiDataSet part(MultiDataSet data, int from, int to) {
    return map(data, array -> StackedColumns.get(array, 1, from, to).dup('c'));
  }

  private static MultiDataSet map(MultiDataSet data, UnaryOperator<INDArray> change) {
    return new org.nd4j.linalg.dataset.MultiDataSet(
        map(data.getFeatures(), change),
        map(data.getLabels(), change),
        map(data.getFeaturesMaskArrays(), change),
        map(data.getLabelsMaskArrays(), change));
  }

  private static INDArray[] map(INDArray[] arrays, UnaryOperator<INDArray> change) {
    return arrays == null
        ? null
        : Arrays.stream(arrays)
            .map(array -> array == null ? null : change.apply(array))
            .toArray(INDArray[]::new);
  }

  /**
   * What of training is not in the factors.
   *
   * @return as {@link NtkGram#simplifications()}
   */
  public List<String> simplifications() {
    return noise;
  }

  /**
   * How many values of one example a statistic of batch normalisation is taken over.
   *
   * @return as {@link NtkGram#statisticsPerExample()}
   */
  public OptionalLong statisticsPerExample() {
    return statistics;
  }

  /**
   * The number of outputs of an example.
   *
   * @return K of the examples of which masks of labels, or of features, leave the most
   */
  public int outputs() {
    return outputs;
  }

  /**
   * About what the factors will take.
   *
   * @return bytes of the Java heap, without weights of parameters; 0 if they cannot be computed
   */
  public long bytes() {
    return expected;
  }

  /**
   * The factors at a parameter vector.
   *
   * @param flatParameters the parameters in the order of {@code model.params()}; not modified
   * @param parameterWeights weights of the parameters as for {@link NtkGram#compute(INDArray,
   *     INDArray)}; null for ones
   * @return the factors, independent of this object
   * @throws UnsupportedModelException if they do not fit the memory budget
   * @throws CancellationException if cancelled or interrupted; this object can be used again
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  public synchronized NtkFactors compute(INDArray flatParameters, INDArray parameterWeights) {
    try (Isolation isolation = Isolation.begin()) {
      return compute(flatParameters, parameterWeights, spare());
    }
  }

  private NtkFactors compute(INDArray parameters, INDArray weights, long spare) {
    Sum sum = new Sum(spare);
    int size = Math.min(chunk, examples);
    for (int from = 0; from < examples; from += size) {
      size = from == 0 ? first(size, sum, parameters, weights) : size;
      if (from > 0) {
        add(from, Math.min(examples, from + size), sum, parameters, weights);
      }
      double need = needed(sum, Math.min(examples, from + size));
      if (need > memoryBudget && sum.spent() > 0) {
        sum.blocks.clear();
        return compute(parameters, weights, 0);
      }
      requireHeap(need);
    }
    return new NtkFactors(
        sum.blocks, order.places(), sum.outputs, sum.loss / examples, sum.dropped, assumptions);
  }

  /** Adds the first chunk, halved until it fits the memory; returns its size. */
  private int first(int most, Sum sum, INDArray parameters, INDArray weights) {
    int size = most;
    while (true) {
      try {
        add(0, size, sum, parameters, weights);
        return size;
      } catch (UnsupportedModelException refusal) {
        if (!refusal.isOfSize() || size == 1) {
          throw refusal;
        }
        size = (size + 1) / 2;
      }
    }
  }

  /** What was found so far. */
  private static final class Sum {
    private final List<FactorBlock> blocks = new ArrayList<>();
    private final long spare;
    private int outputs;
    private double loss;
    private double dropped;

    Sum(long spare) {
      this.spare = spare;
    }

    long bytes() {
      return blocks.stream().mapToLong(FactorBlock::bytes).sum();
    }

    /** Bytes of all examples that only save time. */
    long spent() {
      return blocks.stream().mapToLong(FactorBlock::spare).sum();
    }
  }

  private void add(int from, int to, Sum sum, INDArray parameters, INDArray parameterWeights) {
    Probe chunk = Probe.of(part(probe, from, to), Replica.arithmetic(model));
    try (Replica replica = Replica.of(model, chunk, GramMethod.AUTO, Weighting.CURVATURE)) {
      replica.setParameters(parameters);
      List<OutputDerivatives> derivatives = OutputDerivatives.of(replica, chunk);
      int outputs = OutputDerivatives.columns(derivatives);
      int[] rows = OutputDerivatives.rows(derivatives);
      double[] residuals = new double[(to - from) * outputs];
      int[] block = {0};
      new Sweep(
              replica,
              chunk,
              parameterWeights == null
                  ? ParameterWeights.ONES
                  : replica.parameterWeights(parameterWeights))
          .limitedTo(outputs, false, Math.min(SWEEP_BYTES, SweepMemory.available()))
          .run(
              (o, f) -> {
                int first = 0;
                for (int before = 0; before < o; before++) {
                  first += derivatives.get(before).columns();
                }
                OutputDerivatives own = derivatives.get(o);
                sum.loss += own.fit(f, first, outputs, residuals);
                sum.dropped = Math.max(sum.dropped, own.droppedShare(f));
                return own.derivatives(f, first, outputs, Weighting.CURVATURE);
              },
              (node, part) -> {
                goOn();
                if (block[0] == sum.blocks.size()) {
                  sum.blocks.add(FactorBlock.of(part, examples, sum.spare - sum.spent()));
                }
                sum.blocks.get(block[0]++).add(part, rows);
              });
      sum.outputs = Math.max(sum.outputs, outputs);
    }
  }

  /** Bytes of all examples, from those that are done. */
  private double needed(Sum sum, int done) {
    return sum.bytes() / order.share(done);
  }

  private void requireHeap(double need) {
    if (need > memoryBudget) {
      throw UnsupportedModelException.ofSize(
          String.format(
              Locale.ROOT,
              "the factors of %d examples need about %,.0f bytes, the memory budget is %,d",
              examples,
              need,
              memoryBudget),
          "use fewer examples, or a larger heap");
    }
  }

  private void goOn() {
    if (cancelled.getAsBoolean() || Thread.currentThread().isInterrupted()) {
      throw new CancellationException("the factors were cancelled or the thread interrupted");
    }
  }

  /** Frees the private copy of the model; no computation must follow. */
  @Override
  public synchronized void close() {
    model.params().close();
  }
}
