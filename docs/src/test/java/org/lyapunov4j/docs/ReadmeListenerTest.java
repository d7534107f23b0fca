// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.step.MiniBatchSampling;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The README's examples, run. */
class ReadmeListenerTest {
  @Test
  void theListenerOfTheReadmeReports() {
    DataSet probe =
        new DataSet(Nd4j.rand(DataType.DOUBLE, 12, 3), Nd4j.rand(DataType.DOUBLE, 12, 2));
    MultiLayerNetwork network = network();
    DataSetIterator iterator = new ListDataSetIterator<>(probe.asList(), 4);
    int epochs = 40;

    // snippet: listener
    MeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    AnalysisSettings settings =
        AnalysisSettings.standard().withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);
    LyapunovListener listener =
        LyapunovListener.builder(probe) // a DataSet, best the training set or a sample of it
            .settings(settings)
            .frequency(100) // iterations from one checkpoint to the next
            .registry(registry)
            .to(System.out::println)
            .build();
    network.addListeners(listener);
    network.fit(iterator, epochs);
    listener.close();
    // end

    assertThat(listener.history()).hasSize(2);
    assertThat(listener.failures()).isZero();
    assertThat(listener.history().get(1).stability().edgeRatio()).isPresent();
  }

  @Test
  void theAnalysisOfTheReadmeReports(@TempDir Path folder) throws IOException {
    DataSet data =
        new DataSet(Nd4j.rand(DataType.DOUBLE, 12, 3), Nd4j.rand(DataType.DOUBLE, 12, 2));
    File file = folder.resolve("model.zip").toFile();
    ModelSerializer.writeModel(network(), file, true);

    // snippet: analysis
    MultiLayerNetwork model = ModelSerializer.restoreMultiLayerNetwork(file, true);
    AnalysisSettings settings = AnalysisSettings.standard().withBatchSize(4);
    Checkpoint checkpoint = StabilityAnalysis.of(model, data, settings).run();
    System.out.println(checkpoint.stability().verdict());
    // end

    assertThat(checkpoint.step().sgd().learningRate()).isEqualTo(0.1);
    assertThat(checkpoint.stability().criticalLearningRate()).isPresent();
  }

  private static MultiLayerNetwork network() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0.1))
                .list()
                .layer(new DenseLayer.Builder().nIn(3).nOut(5).activation(Activation.TANH).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(5)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();
    return network;
  }
}
