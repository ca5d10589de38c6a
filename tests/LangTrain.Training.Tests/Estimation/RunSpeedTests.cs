using LangTrain.Modeling;
using LangTrain.Training.Batches;
using LangTrain.Training.Estimation;

namespace LangTrain.Training.Tests.Estimation;

/// <summary>The measurement behind an estimate's time.</summary>
public sealed class RunSpeedTests
{
    [Theory]
    [InlineData(TrainingMethod.QLora, """{"model_type":"llama","hidden_size":8192,"intermediate_size":28672,"num_hidden_layers":80,"num_attention_heads":64,"num_key_value_heads":8,"vocab_size":128256,"max_position_embeddings":8192}""")]
    [InlineData(TrainingMethod.Full, """{"model_type":"gemma2","vocab_size":256000,"hidden_size":3584,"intermediate_size":14336,"num_hidden_layers":42,"num_attention_heads":16,"num_key_value_heads":8,"head_dim":256,"query_pre_attn_scalar":256,"sliding_window":4096,"max_position_embeddings":8192,"hidden_activation":"gelu_pytorch_tanh"}""")]
    public void A_model_of_any_size_is_measured_by_small_ones_in_proportion(TrainingMethod method, string json)
    {
        var config = ModelConfig.Parse(json);
        var options = new TrainingOptions { Method = method, Lora = new LoraOptions { TargetModules = [LoraOptions.AllLinear] } };
        // The last id of the vocabulary is one that the small model does not have.
        var examples = new InMemoryExamples([new TokenizedExample([1, 2, 3, config.VocabularySize - 1], [false, true, true, true])]);
        var speed = RunSpeed.Measure(options, config, new TrainingMemory(options, config), [[0]], examples);
        Assert.All([speed.PassSeconds, speed.UpdateSeconds, speed.EvaluationSeconds, speed.GenerationSeconds], seconds => Assert.InRange(seconds, 1e-6, 1e5));
        // Dozens of blocks, each many times as wide, cannot take the time of the two small ones.
        Assert.True(speed.PassSeconds > 0.01, $"{speed}");
    }
}
