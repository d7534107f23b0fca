// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.DoubleStream;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.stability.EdgeReport;
import org.lyapunov4j.stability.Verdict;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * Training in the real wrapper, with averaging. The wrapper alone has more than one outcome,
 * depending on which thread is first; so both workers get equal batches, and a first pair that
 * leaves the parameters as they are.
 */
class ParallelWrapperTest {
  private static final int EXAMPLES = 24;

  private final DataSet data = Networks.data(5, EXAMPLES, 3, 2, DataType.DOUBLE);

  @ParameterizedTest
  @CsvSource({"false, 1", "true, 1", "false, 2", "true, 2"})
  void trainingIsBitIdentical(boolean background, int averagingFrequency) {
    List<Double> undisturbed = train(null, averagingFrequency);
    assertThat(undisturbed).isNotEqualTo(values(network()));
    LyapunovListener.Builder builder = builder();
    if (background) {
      builder.background(Backlog.WAIT);
    }
    LyapunovListener listener = builder.build();
    assertThat(train(listener, averagingFrequency)).isEqualTo(undisturbed);
    listener.close();
    assertThat(listener.failures()).isZero();
    assertThat(listener.history()).hasSize(1 + EXAMPLES / 4);
    assertThat(listener.history())
        .allMatch(c -> c.step().sgd().batchSize() == (c.level().equals(Level.exact()) ? 8 : 4));
  }

  /**
   * Two workers with four examples each make the step of plain training with all eight. The first
   * round of a wrapper may be torn, so that it moves nothing here.
   */
  @Test
  void aRoundThatIsAveragedIsOneStepOnAllMiniBatches() {
    List<DataSet> quarters = new ArrayList<>(pairs(network()).subList(0, 2));
    quarters.addAll(differing());
    MultiLayerNetwork plain = network();
    for (int round = 0; round < quarters.size() / 2; round++) {
      plain.fit(DataSet.merge(quarters.subList(2 * round, 2 * round + 2)));
    }
    MultiLayerNetwork network = network();
    LyapunovListener watching = builder().build();
    network.setListeners(watching);
    fit(network, quarters, ParallelWrapper.TrainingMode.AVERAGING, 1);
    assertThat(network.params().distance2(plain.params())).isLessThan(1e-13);
    assertThat(watching.history()).isNotEmpty();
    for (Checkpoint checkpoint : watching.history()) {
      assertThat(checkpoint.level()).isEqualTo(Level.exact());
      assertThat(checkpoint.step().sgd().batchSize()).isEqualTo(8);
      assertThat(checkpoint.step().toString()).contains("2 workers of a ParallelWrapper");
    }
    Checkpoint last = watching.history().get(watching.history().size() - 1);
    assertThat(last.step().toString()).contains("averages after every round, as seen");
  }

  /**
   * Near a minimum, at a rate that is too large for the mini-batches of one worker and not for
   * those of two: the wrapper goes into the minimum and the verdict is STABLE, while plain training
   * on the mini-batches of one worker leaves, and its verdict is UNSTABLE.
   */
  @Test
  void theVerdictIsThatOfTheMiniBatchesOfAllWorkers() {
    DataSet all = Networks.data(5, 8, 3, 1, DataType.DOUBLE);
    INDArray start = nearMinimum(all);
    List<DataSet> draws = draws(all, 300);
    MultiLayerNetwork averaged = wide(new Sgd(0.1), start);
    LyapunovListener listener =
        LyapunovListener.builder(all)
            .settings(AnalysisSettings.standard().withSeed(0))
            .frequency(100)
            .build();
    averaged.setListeners(listener);
    double before = averaged.score(all);
    fit(averaged, draws, ParallelWrapper.TrainingMode.AVERAGING, 1);
    assertThat(averaged.score(all)).isLessThan(0.3 * before);
    assertThat(listener.history()).isNotEmpty();
    for (Checkpoint checkpoint : listener.history()) {
      assertThat(checkpoint.step().sgd().batchSize()).isEqualTo(2);
      assertThat(checkpoint.stability().verdict().kind()).isEqualTo(Verdict.Kind.STABLE);
    }
    MultiLayerNetwork alone = wide(new Sgd(0.1), start);
    Checkpoint ofOneWorker =
        StabilityAnalysis.of(alone, all, AnalysisSettings.standard().withSeed(0).withBatchSize(1))
            .run();
    assertThat(ofOneWorker.stability().verdict().kind()).isEqualTo(Verdict.Kind.UNSTABLE);
    draws.forEach(alone::fit);
    assertThat(alone.score(all)).isGreaterThan(1e4 * before);
  }

  private static INDArray nearMinimum(DataSet all) {
    MultiLayerNetwork network = wide(new Nesterovs(0.05, 0.9), null);
    for (int i = 0; i < 3000; i++) {
      network.fit(all);
    }
    return Networks.nearby(network.params(), 1e-5, new RandomStream(4));
  }

  /** Two different examples a round, each a mini-batch of its own. */
  private static List<DataSet> draws(DataSet all, int rounds) {
    List<DataSet> examples = all.asList();
    RandomStream random = new RandomStream(8);
    List<DataSet> draws = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      int first = random.nextInt(examples.size());
      int second = (first + 1 + random.nextInt(examples.size() - 1)) % examples.size();
      draws.add(examples.get(first));
      draws.add(examples.get(second));
    }
    return draws;
  }

  private static MultiLayerNetwork wide(IUpdater updater, INDArray parameters) {
    MultiLayerNetwork network =
        Networks.regression(Networks.configuration(updater, DataType.DOUBLE), 3, 16, 1);
    if (parameters != null) {
      network.setParams(parameters.dup());
    }
    return network;
  }

  @Test
  void averagingOfSomeRoundsIsTheStepOfOneWorker() {
    MultiLayerNetwork network = network();
    LyapunovListener listener = builder().build();
    network.setListeners(listener);
    fit(network, differing(), ParallelWrapper.TrainingMode.AVERAGING, 3);
    Checkpoint last = listener.history().get(listener.history().size() - 1);
    assertThat(last.step().toString())
        .startsWith("APPROXIMATE")
        .contains("2 workers of a ParallelWrapper, averaged after every");
    assertThat(last.step().sgd().batchSize()).isEqualTo(4);
    assertThat(((EdgeReport) last.findings()).factor()).isEqualTo(2);
    assertThat(listener.failures()).isZero();
  }

  @Test
  void sharedGradientsAreObserved() {
    MultiLayerNetwork network = network();
    LyapunovListener listener = builder().build();
    network.setListeners(listener);
    fit(network, differing(), ParallelWrapper.TrainingMode.SHARED_GRADIENTS, 1);
    assertThat(listener.history()).isNotEmpty();
    assertThat(listener.history().get(0).step().toString())
        .startsWith("OBSERVED")
        .contains("EncodedGradientsAccumulator", "encoded by a threshold");
    assertThat(listener.failures()).isZero();
  }

  /** Each worker takes every other mini-batch; the first round may be torn and moves nothing. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void roundsAreAveragedAsTheParametersOfWorkersThatGoApart(int averagingFrequency) {
    List<DataSet> batches = new ArrayList<>();
    for (int i = 0; i < averagingFrequency; i++) {
      batches.addAll(pairs(network()).subList(0, 2));
    }
    List<DataSet> moving = differing().subList(0, 4 * averagingFrequency);
    batches.addAll(moving);
    INDArray mean = network().params().dup();
    for (int from = 0; from < moving.size(); from += 2 * averagingFrequency) {
      List<INDArray> ends = new ArrayList<>();
      for (int worker = 0; worker < 2; worker++) {
        MultiLayerNetwork alone = network();
        alone.setParams(mean.dup());
        for (int round = 0; round < averagingFrequency; round++) {
          alone.fit(moving.get(from + 2 * round + worker));
        }
        ends.add(alone.params());
      }
      mean = ends.get(0).add(ends.get(1)).divi(2);
    }
    MultiLayerNetwork network = network();
    fit(network, batches, ParallelWrapper.TrainingMode.AVERAGING, averagingFrequency);
    assertThat(network.params().distance2(mean)).isLessThan(1e-13);
  }

  private List<DataSet> differing() {
    List<DataSet> batches = new ArrayList<>();
    for (int i = 0; i < 18; i++) {
      batches.add(Networks.data(40 + i, 4, 3, 2, DataType.DOUBLE));
    }
    return batches;
  }

  @SuppressWarnings("try") // close() may be interrupted
  private static void fit(
      MultiLayerNetwork network,
      List<DataSet> batches,
      ParallelWrapper.TrainingMode mode,
      int averagingFrequency) {
    try (ParallelWrapper wrapper =
        new ParallelWrapper.Builder<>(network)
            .workers(2)
            .prefetchBuffer(0)
            .averagingFrequency(averagingFrequency)
            .trainingMode(mode)
            .build()) {
      wrapper.fit(new ListDataSetIterator<>(batches, 1));
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void oneWorkerIsWatched() {
    var threads = ConcurrentHashMap.<String>newKeySet();
    LyapunovListener listener =
        builder().to(c -> threads.add(Thread.currentThread().getName())).build();
    assertThat(train(listener)).allMatch(Double::isFinite);
    assertThat(threads).containsExactly("ParallelWrapper training thread 0");
    assertThat(listener.history()).extracting(Checkpoint::iteration).doesNotHaveDuplicates();
    assertThat(listener.history()).hasSize(1 + EXAMPLES / 4);
    assertThat(listener.failures()).isZero();
  }

  /** An Error that got out would hang the wrapper for ever. */
  @Test
  void anErrorInsideDoesNotHangTheWrapper() {
    LyapunovListener listener =
        builder()
            .to(
                c -> {
                  throw new OutOfMemoryError("injected");
                })
            .build();
    assertThat(train(listener)).isEqualTo(train(null));
    assertThat(listener.failures()).isPositive();
  }

  private LyapunovListener.Builder builder() {
    return LyapunovListener.builder(data)
        .settings(
            AnalysisSettings.standard()
                .withSeed(0)
                .withAnalyzer(settings -> settings.maxEpochs(8).threads(1)))
        .frequency(1);
  }

  private List<Double> train(LyapunovListener listener) {
    return train(listener, 1);
  }

  private List<Double> train(LyapunovListener listener, int averagingFrequency) {
    MultiLayerNetwork network = network();
    if (listener != null) {
      network.setListeners(listener);
    }
    fit(network, pairs(network), ParallelWrapper.TrainingMode.AVERAGING, averagingFrequency);
    return values(network);
  }

  private List<DataSet> pairs(MultiLayerNetwork network) {
    List<DataSet> pairs = new ArrayList<>();
    INDArray features = data.batchBy(4).get(0).getFeatures();
    DataSet fitted = new DataSet(features, network.output(features));
    pairs.add(fitted);
    pairs.add(fitted.copy());
    for (DataSet batch : data.batchBy(4)) {
      pairs.add(batch);
      pairs.add(batch.copy());
    }
    return pairs;
  }

  private static List<Double> values(MultiLayerNetwork network) {
    return DoubleStream.of(network.params().toDoubleVector()).boxed().toList();
  }

  private static MultiLayerNetwork network() {
    return Networks.regression(Networks.configuration(new Sgd(0.05), DataType.DOUBLE), 3, 5, 2);
  }
}
