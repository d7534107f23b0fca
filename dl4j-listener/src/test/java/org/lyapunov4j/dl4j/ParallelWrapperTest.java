// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.DoubleStream;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;

/** Training with several workers, whose models are averaged, in the real wrapper. */
class ParallelWrapperTest {
  private static final int EXAMPLES = 24;

  private final DataSet data = Networks.data(5, EXAMPLES, 3, 2, DataType.DOUBLE);

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void trainingIsBitIdentical(boolean background) {
    List<Double> undisturbed = train(null);
    assertThat(undisturbed).isNotEqualTo(values(network()));
    LyapunovListener.Builder builder = builder();
    if (background) {
      builder.background(Backlog.WAIT);
    }
    LyapunovListener listener = builder.build();
    assertThat(train(listener)).isEqualTo(undisturbed);
    listener.close();
    assertThat(listener.failures()).isZero();
    // Two workers share the batches, and one of them has the model that is watched.
    assertThat(listener.history()).hasSize(EXAMPLES / 4 / 2);
    assertThat(listener.history()).allMatch(c -> c.step().sgd().batchSize() == 4);
  }

  @Test
  void oneWorkerIsWatched() {
    var threads = ConcurrentHashMap.<String>newKeySet();
    LyapunovListener listener =
        builder().onCheckpoint(c -> threads.add(Thread.currentThread().getName())).build();
    train(listener);
    assertThat(threads).containsExactly("ParallelWrapper training thread 0");
    assertThat(listener.history()).extracting(Checkpoint::iteration).doesNotHaveDuplicates();
  }

  /** An Error that got out would hang the wrapper for ever. */
  @Test
  void anErrorInsideDoesNotHangTheWrapper() {
    LyapunovListener listener =
        builder()
            .onCheckpoint(
                c -> {
                  throw new OutOfMemoryError("injected");
                })
            .build();
    List<Double> undisturbed = train(null);
    assertThat(train(listener)).isEqualTo(undisturbed);
    assertThat(listener.failures()).isPositive();
  }

  private LyapunovListener.Builder builder() {
    return LyapunovListener.builder(data)
        .frequency(1)
        .analysis(settings -> settings.maxEpochs(8).threads(1));
  }

  @SuppressWarnings("try") // close() may be interrupted
  private List<Double> train(LyapunovListener listener) {
    MultiLayerNetwork network = network();
    if (listener != null) {
      network.setListeners(listener);
    }
    try (ParallelWrapper wrapper =
        new ParallelWrapper.Builder<>(network)
            .workers(2)
            .prefetchBuffer(0)
            .averagingFrequency(1)
            .trainingMode(ParallelWrapper.TrainingMode.AVERAGING)
            .build()) {
      wrapper.fit(new ListDataSetIterator<>(data.batchBy(4), 1));
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    return values(network);
  }

  private static List<Double> values(MultiLayerNetwork network) {
    return DoubleStream.of(network.params().toDoubleVector()).boxed().toList();
  }

  private static MultiLayerNetwork network() {
    return Networks.regression(Networks.configuration(new Sgd(0.05), DataType.DOUBLE), 3, 5, 2);
  }
}
