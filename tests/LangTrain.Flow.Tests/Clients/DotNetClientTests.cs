using System.ClientModel;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;

namespace LangTrain.Flow.Tests.Clients;

/// <summary>NuGet's <c>OpenAI</c>, unmodified.</summary>
[Collection(SharedHost.Collection)]
public sealed class DotNetClientTests(SharedHost shared)
{
    private static readonly ChatMessage[] Messages = [new SystemChatMessage("Be brief."), new UserChatMessage("What color is the sky?")];

    private static readonly ChatTool Weather = ChatTool.CreateFunctionTool(
        "get_weather", "The weather of a city",
        BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string","enum":["Rome","Oslo"]}},"required":["city"],"additionalProperties":false}"""));

    private ChatClient Chat => new(TinyModel.Id, new ApiKeyCredential(shared.Host.ApiKey), new OpenAIClientOptions { Endpoint = shared.Host.BaseUrl });

    [Fact]
    public async Task A_chat_is_answered_whole_and_in_pieces()
    {
        var greedy = new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 12 };
        ChatCompletion whole = await Chat.CompleteChatAsync(Messages, greedy);
        Assert.NotEmpty(whole.Content[0].Text);
        Assert.True(whole.Usage.InputTokenCount > 0);

        var text = "";
        ChatFinishReason? reason = null;
        ChatTokenUsage? usage = null;
        await foreach (var update in Chat.CompleteChatStreamingAsync(Messages, greedy))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            reason = update.FinishReason ?? reason;
            usage = update.Usage ?? usage;
        }

        Assert.Equal((whole.Content[0].Text, whole.FinishReason), (text, reason));
        Assert.Equal(whole.Usage.OutputTokenCount, usage?.OutputTokenCount);
    }

    [Fact]
    public async Task A_schema_is_held_to_and_tokens_have_their_probabilities()
    {
        var format = ChatResponseFormat.CreateJsonSchemaFormat(
            "answer", BinaryData.FromString("""{"type":"object","properties":{"color":{"type":"string","enum":["blue","green"]}},"required":["color"],"additionalProperties":false}"""), jsonSchemaIsStrict: true);
        ChatCompletion answer = await Chat.CompleteChatAsync(Messages, new ChatCompletionOptions
        {
            ResponseFormat = format, MaxOutputTokenCount = 60, IncludeLogProbabilities = true, TopLogProbabilityCount = 2,
        });
        Assert.Contains(JsonElement.Parse(answer.Content[0].Text).GetProperty("color").GetString(), new[] { "blue", "green" });
        Assert.NotEmpty(answer.ContentTokenLogProbabilities);
        Assert.All(answer.ContentTokenLogProbabilities, token => Assert.Equal(2, token.TopLogProbabilities.Count));
    }

    [Fact]
    public async Task A_tool_is_called_and_answered()
    {
        var options = new ChatCompletionOptions { Tools = { Weather }, ToolChoice = ChatToolChoice.CreateRequiredChoice(), Temperature = 0, MaxOutputTokenCount = 60 };
        ChatCompletion whole = await Chat.CompleteChatAsync(Messages, options);
        Assert.Equal(ChatFinishReason.ToolCalls, whole.FinishReason);
        var call = Assert.Single(whole.ToolCalls);
        Assert.Contains(JsonElement.Parse(call.FunctionArguments).GetProperty("city").GetString(), new[] { "Rome", "Oslo" });

        var (name, arguments) = ("", "");
        await foreach (var update in Chat.CompleteChatStreamingAsync(Messages, options))
        {
            foreach (var piece in update.ToolCallUpdates)
            {
                name += piece.FunctionName;
                arguments += piece.FunctionArgumentsUpdate;
            }
        }

        Assert.Equal((call.FunctionName, call.FunctionArguments.ToString()), (name, arguments));
        ChatCompletion last = await Chat.CompleteChatAsync(
            [.. Messages, new AssistantChatMessage(whole), new ToolChatMessage(call.Id, "sunny")],
            new ChatCompletionOptions { Tools = { Weather }, ToolChoice = ChatToolChoice.CreateNoneChoice(), MaxOutputTokenCount = 12 });
        Assert.Equal(ChatMessageRole.Assistant, last.Role);
    }

    [Fact]
    public async Task A_refusal_says_status_and_parameter()
    {
        var refused = await Assert.ThrowsAsync<ClientResultException>(() => Chat.CompleteChatAsync(Messages, new ChatCompletionOptions { Temperature = 3 }));
        Assert.Equal(400, refused.Status);
        Assert.Contains("temperature", refused.Message, StringComparison.Ordinal);
    }
}
