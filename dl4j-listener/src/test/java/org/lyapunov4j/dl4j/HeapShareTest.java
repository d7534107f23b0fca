// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.stability.Tier;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;

/** A checkpoint in the background leaves training the memory it needs. */
class HeapShareTest {
  @TempDir private Path folder;

  /** Training that needs 90 of 200 MB at every step, and a Gram matrix of 3400 rows. */
  static final class SmallHeap {
    private SmallHeap() {}

    public static void main(String[] args) {
      DataSet data = Networks.data(5, 850, 3, 4, DataType.DOUBLE);
      LyapunovListener.Builder builder =
          LyapunovListener.builder(data)
              .settings(
                  AnalysisSettings.of(Tier.ECONOMY)
                      .withSeed(0)
                      .withAnalyzer(settings -> settings.maxEpochs(4).threads(1)))
              .frequency(1)
              .background(Backlog.SKIP);
      if (args.length > 0) { // by hand: so it was, and ended in an OutOfMemoryError
        builder.heap(new HeapShare(() -> Long.MAX_VALUE));
      }
      LyapunovListener listener = builder.build();
      MultiLayerNetwork network =
          Networks.regression(Networks.configuration(new Sgd(0.05), DataType.DOUBLE), 3, 5, 4);
      network.setListeners(listener);
      DataSet batch = data.sample(4);
      for (int t = 0; t < 400 && listener.history().isEmpty(); t++) {
        byte[] needed = new byte[90 << 20];
        network.fit(batch);
        needed[needed.length - 1] = 1;
      }
      long found = listener.history().size();
      listener.close();
      System.out.println(
          "trained to the end, " + (found > 0 || listener.skipped() > 0 ? "watched" : "blind"));
    }
  }

  @Test
  @Timeout(value = 120, unit = TimeUnit.SECONDS)
  void trainingThatNeedsTheHeapIsNotEnded() throws Exception {
    Path out = folder.resolve("out");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx200m",
                "-Dorg.bytedeco.javacpp.maxphysicalbytes=0",
                "-cp",
                System.getProperty("java.class.path"),
                SmallHeap.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    assertThat(process.waitFor()).as(Files.readString(out)).isZero();
    assertThat(Files.readString(out)).contains("trained to the end, watched");
  }

  @Test
  void halfOfWhatIsFreeMayBeTaken() {
    long[] free = {1000};
    HeapShare heap = new HeapShare(() -> free[0]);
    assertThat(heap.allows(500)).isTrue();
    assertThat(heap.allows(501)).isFalse();
    free[0] = 600;
    assertThat(heap.allows(301)).isFalse();
    heap.backOff();
    assertThat(heap.allows(151)).isFalse();
    assertThat(heap.allows(150)).isTrue();
    assertThat(new HeapShare().allows(Runtime.getRuntime().maxMemory())).isFalse();
    assertThat(new HeapShare().allows(1)).isTrue();
  }

  @Test
  void whatDoesNotFitIsSkippedAndCountedUntilItFits() {
    DataSet data = Networks.data(5, 12, 3, 2, DataType.DOUBLE);
    long needed = 32L * 24 * 24;
    long[] free = {2 * needed - 1};
    LyapunovListener listener =
        LyapunovListener.builder(data)
            .settings(
                AnalysisSettings.standard()
                    .withSeed(0)
                    .withAnalyzer(settings -> settings.maxEpochs(4)))
            .frequency(1)
            .background(Backlog.WAIT)
            .heap(new HeapShare(() -> free[0]))
            .build();
    MultiLayerNetwork network =
        Networks.regression(Networks.configuration(new Sgd(0.05), DataType.DOUBLE), 3, 5, 2);
    network.setListeners(listener);
    List<DataSet> batches = data.batchBy(4);
    batches.forEach(network::fit);
    listener.flush();
    assertThat(listener.history()).isEmpty();
    assertThat(listener.skipped()).isEqualTo(3);
    free[0] = 2 * needed;
    batches.forEach(network::fit);
    listener.close();
    assertThat(listener.history()).hasSize(3);
    assertThat(listener.failures()).isZero();
  }
}
