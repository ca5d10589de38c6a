using System.ClientModel;
using OpenAI;
using OpenAI.Chat;

namespace LangTrain.Flow.Tests.Clients;

/// <summary>NuGet's <c>OpenAI</c>, unmodified.</summary>
[Collection(SharedHost.Collection)]
public sealed class DotNetClientTests(SharedHost shared)
{
    private static readonly ChatCompletionOptions Greedy = new() { Temperature = 0, MaxOutputTokenCount = 12 };

    private ChatClient Chat => new(TinyModel.Id, new ApiKeyCredential(shared.Host.ApiKey), new OpenAIClientOptions { Endpoint = shared.Host.BaseUrl });

    [Fact]
    public async Task A_chat_is_answered_whole_and_in_pieces()
    {
        ChatMessage[] messages = [new UserChatMessage("What color is the sky?")];
        ChatCompletion whole = await Chat.CompleteChatAsync(messages, Greedy);
        Assert.NotEmpty(whole.Content[0].Text);
        Assert.True(whole.Usage.InputTokenCount > 0);

        var text = "";
        ChatFinishReason? reason = null;
        ChatTokenUsage? usage = null;
        await foreach (var update in Chat.CompleteChatStreamingAsync(messages, Greedy))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            reason = update.FinishReason ?? reason;
            usage = update.Usage ?? usage;
        }

        Assert.Equal((whole.Content[0].Text, whole.FinishReason), (text, reason));
        Assert.Equal(whole.Usage.OutputTokenCount, usage?.OutputTokenCount);
    }
}
