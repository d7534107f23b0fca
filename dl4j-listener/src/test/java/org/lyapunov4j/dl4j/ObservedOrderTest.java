// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.ObservedOrder.Order;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Sgd;

class ObservedOrderTest {
  private static final int EXAMPLES = 24;

  private final ObservedOrder observed = new ObservedOrder();
  private final MultiLayerNetwork network =
      Networks.regression(Networks.configuration(new Sgd(0.1), DataType.FLOAT), 3, 4, 1);
  private final INDArray examples = Networks.data(3, EXAMPLES, 3, 1, DataType.FLOAT).getFeatures();

  @Test
  void aFixedOrderIsSeenAtTheEndOfTheSecondEpoch() {
    assertThat(observed.order()).isEqualTo(Order.UNKNOWN);
    epoch(batches(identity(), 5));
    assertThat(observed.order()).isEqualTo(Order.UNDECIDED);
    epoch(batches(identity(), 5));
    assertThat(observed.order()).isEqualTo(Order.FIXED);
  }

  @Test
  void theOrderWithinAMiniBatchDoesNotMatter() {
    List<Integer> swapped = identity();
    Collections.swap(swapped, 0, 3);
    epoch(batches(identity(), 4));
    epoch(batches(swapped, 4));
    assertThat(observed.order()).isEqualTo(Order.FIXED);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 12})
  void reshufflingIsSeen(int size) {
    epoch(batches(shuffled(1), size));
    epoch(batches(shuffled(2), size));
    assertThat(observed.order()).isEqualTo(Order.RESHUFFLED);
  }

  @Test
  void aSingleExchangeIsSeen() {
    List<Integer> swapped = identity();
    Collections.swap(swapped, 0, 23);
    epoch(batches(identity(), 4));
    epoch(batches(swapped, 4));
    assertThat(observed.order()).isEqualTo(Order.RESHUFFLED);
  }

  @Test
  void theSameMiniBatchesInAnotherOrderAreNoScheme() {
    List<INDArray> batches = batches(identity(), 4);
    epoch(batches);
    Collections.swap(batches, 1, 4);
    epoch(batches);
    assertThat(observed.order()).isEqualTo(Order.BATCHES_MOVED);
    assertThat(observed.order().sampling()).isEmpty();
  }

  @Test
  void drawingWithReplacementIsNoEpochOfTheSameExamples() {
    List<Integer> twice = identity();
    twice.set(0, 1);
    epoch(batches(identity(), 4));
    epoch(batches(twice, 4));
    assertThat(observed.order()).isEqualTo(Order.OTHER_EXAMPLES);
  }

  @Test
  void examplesThatAreChangedAreOtherExamples() {
    epoch(batches(identity(), 4));
    examples.addi(1e-3);
    epoch(batches(identity(), 4));
    assertThat(observed.order()).isEqualTo(Order.OTHER_EXAMPLES);
  }

  @Test
  void examplesThatLookAlikeTellNothing() {
    examples.assign(0);
    examples.putScalar(7, 1);
    epoch(batches(identity(), 4));
    epoch(batches(identity(), 4));
    assertThat(observed.order()).isEqualTo(Order.UNKNOWN);
  }

  @Test
  void oneMiniBatchTellsNothing() {
    epoch(batches(identity(), EXAMPLES));
    epoch(batches(shuffled(1), EXAMPLES));
    assertThat(observed.order()).isEqualTo(Order.UNKNOWN);
  }

  @Test
  void anEpochThatWasNotSeenWholeIsNotCompared() {
    observe(batches(identity(), 4));
    observed.endEpoch();
    epoch(batches(identity(), 4));
    observed.startEpoch();
    observe(batches(shuffled(1), 4).subList(0, 2));
    epoch(batches(identity(), 4));
    assertThat(observed.order()).isEqualTo(Order.FIXED);
  }

  @Test
  void picturesOfAnyLayoutAreReadByTheirPixels() {
    INDArray pictures =
        Networks.data(3, EXAMPLES, 2 * 8 * 8, 1, DataType.FLOAT)
            .getFeatures()
            .reshape(EXAMPLES, 2, 8, 8);
    epoch(List.of(half(pictures, 0), half(pictures, 1)));
    INDArray other = pictures.dup('f');
    epoch(List.of(half(other, 0).dup('c'), half(other, 1)));
    assertThat(observed.order()).isEqualTo(Order.FIXED);
  }

  private static INDArray half(INDArray pictures, int which) {
    return pictures.get(NDArrayIndex.interval(which * EXAMPLES / 2, (which + 1) * EXAMPLES / 2));
  }

  @Test
  void anArrayOfAClosedWorkspaceIsNotRead() {
    INDArray gone;
    try (MemoryWorkspace workspace =
        Nd4j.getWorkspaceManager().getAndActivateWorkspace("ObservedOrderTest")) {
      gone = examples.dup();
      assertThat(gone.data().getParentWorkspace()).isSameAs(workspace);
    }
    observed.startEpoch();
    observe(List.of(gone));
    observed.endEpoch();
    assertThat(observed.order()).isEqualTo(Order.UNKNOWN);
  }

  @Test
  void recordingAllocatesNothing() {
    network.setInput(examples);
    observed.startEpoch();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (int i = 0; i < 20_000; i++) {
      observed.record(network);
    }
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < 1000; i++) {
      observed.record(network);
    }
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertThat(allocated / 1000).as("bytes per call").isZero();
  }

  private void epoch(List<INDArray> batches) {
    observed.startEpoch();
    observe(batches);
    observed.endEpoch();
  }

  private void observe(List<INDArray> batches) {
    for (INDArray batch : batches) {
      network.setInput(batch);
      observed.record(network);
    }
  }

  private static List<Integer> identity() {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < EXAMPLES; i++) {
      order.add(i);
    }
    return order;
  }

  private static List<Integer> shuffled(long seed) {
    List<Integer> order = identity();
    Collections.shuffle(order, new Random(seed));
    return order;
  }

  private List<INDArray> batches(List<Integer> order, int size) {
    List<INDArray> batches = new ArrayList<>();
    for (int from = 0; from < EXAMPLES; from += size) {
      List<Integer> rows = order.subList(from, Math.min(EXAMPLES, from + size));
      batches.add(examples.getRows(rows.stream().mapToInt(Integer::intValue).toArray()));
    }
    return batches;
  }
}
