using System.Text.Json;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

/// <summary>config.json files as their publishers wrote them; the parameter counts are those of the model cards (tied matrices counted once, text model only).</summary>
public class PublishedModelsTests
{
    [Theory]
    [InlineData(1_235_814_400, """{"architectures":["LlamaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":128000,"eos_token_id":[128001,128008,128009],"head_dim":64,"hidden_act":"silu","hidden_size":2048,"initializer_range":0.02,"intermediate_size":8192,"max_position_embeddings":131072,"mlp_bias":false,"model_type":"llama","num_attention_heads":32,"num_hidden_layers":16,"num_key_value_heads":8,"pretraining_tp":1,"rms_norm_eps":1e-05,"rope_scaling":{"factor":32.0,"high_freq_factor":4.0,"low_freq_factor":1.0,"original_max_position_embeddings":8192,"rope_type":"llama3"},"rope_theta":500000.0,"tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.45.0","use_cache":true,"vocab_size":128256}""")]
    [InlineData(7_241_732_096, """{"architectures":["MistralForCausalLM"],"bos_token_id":1,"eos_token_id":2,"hidden_act":"silu","hidden_size":4096,"initializer_range":0.02,"intermediate_size":14336,"max_position_embeddings":32768,"model_type":"mistral","num_attention_heads":32,"num_hidden_layers":32,"num_key_value_heads":8,"rms_norm_eps":1e-05,"rope_theta":10000.0,"sliding_window":4096,"tie_word_embeddings":false,"torch_dtype":"bfloat16","transformers_version":"4.34.0.dev0","use_cache":true,"vocab_size":32000}""")]
    [InlineData(494_032_768, """{"architectures":["Qwen2ForCausalLM"],"attention_dropout":0.0,"bos_token_id":151643,"eos_token_id":151645,"hidden_act":"silu","hidden_size":896,"initializer_range":0.02,"intermediate_size":4864,"max_position_embeddings":32768,"max_window_layers":21,"model_type":"qwen2","num_attention_heads":14,"num_hidden_layers":24,"num_key_value_heads":2,"rms_norm_eps":1e-06,"rope_theta":1000000.0,"sliding_window":32768,"tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.43.1","use_cache":true,"use_sliding_window":false,"vocab_size":151936}""")]
    [InlineData(596_049_920, """{"architectures":["Qwen3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":151643,"eos_token_id":151645,"head_dim":128,"hidden_act":"silu","hidden_size":1024,"initializer_range":0.02,"intermediate_size":3072,"max_position_embeddings":40960,"max_window_layers":28,"model_type":"qwen3","num_attention_heads":16,"num_hidden_layers":28,"num_key_value_heads":8,"rms_norm_eps":1e-06,"rope_scaling":null,"rope_theta":1000000,"sliding_window":null,"tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.51.0","use_cache":true,"use_sliding_window":false,"vocab_size":151936}""")]
    [InlineData(2_614_341_888, """{"architectures":["Gemma2ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"attn_logit_softcapping":50.0,"bos_token_id":2,"cache_implementation":"hybrid","eos_token_id":1,"final_logit_softcapping":30.0,"head_dim":256,"hidden_act":"gelu_pytorch_tanh","hidden_activation":"gelu_pytorch_tanh","hidden_size":2304,"initializer_range":0.02,"intermediate_size":9216,"max_position_embeddings":8192,"model_type":"gemma2","num_attention_heads":8,"num_hidden_layers":26,"num_key_value_heads":4,"pad_token_id":0,"query_pre_attn_scalar":256,"rms_norm_eps":1e-06,"rope_theta":10000.0,"sliding_window":4096,"torch_dtype":"float32","transformers_version":"4.42.4","use_cache":true,"vocab_size":256000}""")]
    [InlineData(3_880_263_168, """{"architectures":["Gemma3ForConditionalGeneration"],"boi_token_index":255999,"eoi_token_index":256000,"eos_token_id":[1,106],"image_token_index":262144,"initializer_range":0.02,"mm_tokens_per_image":256,"model_type":"gemma3","text_config":{"hidden_size":2560,"intermediate_size":10240,"model_type":"gemma3_text","num_hidden_layers":34,"rope_scaling":{"factor":8.0,"rope_type":"linear"},"sliding_window":1024},"torch_dtype":"bfloat16","transformers_version":"4.50.0.dev0","vision_config":{"hidden_size":1152,"image_size":896,"intermediate_size":4304,"model_type":"siglip_vision_model","num_attention_heads":16,"num_hidden_layers":27,"patch_size":14,"vision_use_head":false}}""")]
    [InlineData(3_821_079_552, """{"_name_or_path":"Phi-3-mini-4k-instruct","architectures":["Phi3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"auto_map":{"AutoConfig":"configuration_phi3.Phi3Config","AutoModelForCausalLM":"modeling_phi3.Phi3ForCausalLM"},"bos_token_id":1,"embd_pdrop":0.0,"eos_token_id":32000,"hidden_act":"silu","hidden_size":3072,"initializer_range":0.02,"intermediate_size":8192,"max_position_embeddings":4096,"model_type":"phi3","num_attention_heads":32,"num_hidden_layers":32,"num_key_value_heads":32,"original_max_position_embeddings":4096,"pad_token_id":32000,"resid_pdrop":0.0,"rms_norm_eps":1e-05,"rope_scaling":null,"rope_theta":10000.0,"sliding_window":2047,"tie_word_embeddings":false,"torch_dtype":"bfloat16","transformers_version":"4.40.2","use_cache":true,"vocab_size":32064}""")]
    [InlineData(124_439_808, """{"activation_function":"gelu_new","architectures":["GPT2LMHeadModel"],"attn_pdrop":0.1,"bos_token_id":50256,"embd_pdrop":0.1,"eos_token_id":50256,"initializer_range":0.02,"layer_norm_epsilon":1e-05,"model_type":"gpt2","n_ctx":1024,"n_embd":768,"n_head":12,"n_layer":12,"n_positions":1024,"resid_pdrop":0.1,"summary_activation":null,"summary_first_dropout":0.1,"summary_proj_to_labels":true,"summary_type":"cls_index","summary_use_proj":true,"task_specific_params":{"text-generation":{"do_sample":true,"max_length":50}},"vocab_size":50257}""")]
    [InlineData(354_823_168, """{"activation_function":"gelu_new","architectures":["GPT2LMHeadModel"],"attn_pdrop":0.1,"bos_token_id":50256,"embd_pdrop":0.1,"eos_token_id":50256,"initializer_range":0.02,"layer_norm_epsilon":1e-05,"model_type":"gpt2","n_ctx":1024,"n_embd":1024,"n_head":16,"n_layer":24,"n_positions":1024,"n_special":0,"predict_special_tokens":true,"resid_pdrop":0.1,"summary_activation":null,"summary_first_dropout":0.1,"summary_proj_to_labels":true,"summary_type":"cls_index","summary_use_proj":true,"task_specific_params":{"text-generation":{"do_sample":true,"max_length":50}},"vocab_size":50257}""")]
    [InlineData(134_515_008, """{"architectures":["LlamaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":1,"eos_token_id":2,"hidden_act":"silu","hidden_size":576,"initializer_range":0.041666666666666664,"intermediate_size":1536,"is_llama_config":true,"max_position_embeddings":8192,"mlp_bias":false,"model_type":"llama","num_attention_heads":9,"num_hidden_layers":30,"num_key_value_heads":3,"pad_token_id":2,"pretraining_tp":1,"rms_norm_eps":1e-05,"rope_interleaved":false,"rope_scaling":null,"rope_theta":100000,"tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers.js_config":{"kv_cache_dtype":{"q4f16":"float16"}},"transformers_version":"4.42.3","use_cache":true,"vocab_size":49152}""")]
    [InlineData(3_075_098_624, """{"architectures":["SmolLM3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":null,"eos_token_id":128012,"hidden_act":"silu","hidden_size":2048,"initializer_range":0.02,"intermediate_size":11008,"max_position_embeddings":65536,"max_window_layers":28,"mlp_bias":false,"model_type":"smollm3","no_rope_layer_interval":4,"no_rope_layers":[1,1,1,0,1,1,1,0,1,1,1,0,1,1,1,0,1,1,1,0,1,1,1,0,1,1,1,0,1,1,1,0,1,1,1,0],"num_attention_heads":16,"num_hidden_layers":36,"num_key_value_heads":4,"pad_token_id":128004,"pretraining_tp":2,"rms_norm_eps":1e-06,"rope_scaling":null,"rope_theta":5000000.0,"sliding_window":null,"torch_dtype":"bfloat16","transformers_version":"4.54.0.dev0","use_cache":false,"use_sliding_window":false,"vocab_size":128256}""")]
    [InlineData(2_533_539_840, """{"architectures":["GraniteForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"attention_multiplier":0.015625,"bos_token_id":0,"embedding_multiplier":12.0,"eos_token_id":0,"hidden_act":"silu","hidden_size":2048,"initializer_range":0.02,"intermediate_size":8192,"logits_scaling":8.0,"max_position_embeddings":131072,"mlp_bias":false,"model_type":"granite","num_attention_heads":32,"num_hidden_layers":40,"num_key_value_heads":8,"pad_token_id":0,"residual_multiplier":0.22,"rms_norm_eps":1e-05,"rope_scaling":null,"rope_theta":10000000.0,"tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.49.0","use_cache":true,"vocab_size":49159}""")]
    public void A_published_config_gives_the_published_number_of_parameters(long parameters, string json)
    {
        using DecoderModel model = DecoderModel.Create(ModelConfig.Parse(json), 0, new ModelLoadOptions { Device = META, Dtype = ScalarType.BFloat16 });
        Assert.Equal(parameters, model.ParameterCount);
    }

    /// <summary>Names and shapes as transformers has them, 0.1B to 72B: Reference/make_published_shapes.py.</summary>
    [Fact]
    public void Names_and_shapes_of_published_models_are_those_of_transformers()
    {
        using JsonDocument published = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Reference", "published", "shapes.json")));
        foreach (JsonElement one in published.RootElement.EnumerateArray())
        {
            using DecoderModel model = DecoderModel.Create(ModelConfig.Parse(one.GetProperty("config").GetRawText()), 0, new ModelLoadOptions { Device = META, Dtype = ScalarType.BFloat16 });

            // GPT-2's checkpoints keep its linear layers as [in, out].
            string Shape(string name, long[] shape) => string.Join(", ", model.Config.ModelType == "gpt2" && Regex.IsMatch(name, @"\.c_(attn|proj|fc)\.weight$") ? shape.Reverse() : shape);
            IEnumerable<string> ours = model.named_parameters().Select(pair => (Name: Regex.Replace(pair.name, @"\.\d+\.", ".*."), Shape: Shape(pair.name, pair.parameter.shape)))
                .GroupBy(pair => pair).Select(group => $"{group.Key.Name} {group.Count()}, {group.Key.Shape}");
            IEnumerable<string> theirs = one.GetProperty("tensors").EnumerateObject().Select(tensor => $"{tensor.Name} {string.Join(", ", tensor.Value.EnumerateArray())}");
            Assert.Equal(theirs.Order(StringComparer.Ordinal), ours.Order(StringComparer.Ordinal));
            Assert.Equal(one.GetProperty("parameters").GetInt64(), model.ParameterCount);
        }
    }

    [Fact]
    public void A_thin_gemma_3_config_takes_the_familys_defaults()
    {
        ModelConfig config = ModelConfig.Parse("""{"model_type":"gemma3","eos_token_id":[1,106],"text_config":{"hidden_size":2560,"intermediate_size":10240,"model_type":"gemma3_text","num_hidden_layers":34,"rope_scaling":{"factor":8.0,"rope_type":"linear"},"sliding_window":1024}}""");
        Assert.Equal((8, 4, 256, 262208, 131072), (config.QueryHeads, config.KeyValueHeads, config.HeadSize, config.VocabularySize, config.ContextLength));
        Assert.Equal([1, 106], config.EosTokenIds);
        Assert.Equal((1_000_000.0, RopeScaling.Linear, 10_000.0), (config.Rope!.Theta, config.Rope.Scaling, config.LocalRope!.Theta));
        Assert.Equal([false, true, true, true, true, true, false], Enumerable.Range(5, 7).Select(config.IsSliding));
    }

    [Fact]
    public void What_ends_a_turn_of_gemma_3_is_the_outer_list_also_where_the_inner_one_names_a_token()
    {
        ModelConfig config = ModelConfig.Parse("""{"model_type":"gemma3","eos_token_id":[1,106],"text_config":{"model_type":"gemma3_text","eos_token_id":1,"hidden_size":2560,"intermediate_size":10240,"num_hidden_layers":34,"sliding_window":1024}}""");
        Assert.Equal([1, 106], config.EosTokenIds);
        Assert.Equal([1, 106], ModelConfig.Parse(config.Json).EosTokenIds);
    }

    [Theory]
    [InlineData("mistral", "\"attention_bias\":false,\"mlp_bias\":false")]
    [InlineData("qwen2", "\"attention_bias\":false")]
    [InlineData("llama", "\"_flash_attn_2_enabled\":true")]
    public void What_fine_tunes_write_besides_and_nothing_computes_is_no_reason_to_refuse(string type, string keys) =>
        Assert.Equal(type, ModelConfig.Parse($$"""{"model_type":"{{type}}","hidden_size":32,"intermediate_size":48,"num_hidden_layers":1,"num_attention_heads":2,"vocab_size":64,"max_position_embeddings":64,{{keys}}}""").ModelType);
}
