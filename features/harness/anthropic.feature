@messages
Feature: The anthropic package
  The anthropic package for Python drives a stack that speaks `/v1/messages`.

  Scenario: The package asks and gets an answer
    When the client anthropic-python does "chat" with:
      | prompt | What is the capital of France? |
    Then the client's "text" mentions "Paris"
    And the client's "finish_reason" is "end_turn"
    And the client's "usage.output_tokens" exists
    And the client made 1 requests

  @stream
  Scenario: The package reads a stream
    When the client anthropic-python does "stream" with:
      | prompt | What is the capital of France? |
    Then the client's "text" mentions "Paris"
    And the client's "finish_reason" is "end_turn"

  @stream @serial
  Scenario: The package leaves a stream, and the stack serves the next one
    Given at most 400 tokens
    When the client anthropic-python does "abort" with:
      | prompt | Write a story about a fox. |
      | events | 5                          |
    Then the client's "events" is 5
    And the server is still up

  Scenario: The package keeps a conversation
    When the client anthropic-python does "multi_turn" with:
      | turns | ["What is the capital of France?", "What is the capital of Germany?"] |
    Then the client's "texts[0]" mentions "Paris"
    And the client's "texts[1]" mentions "Berlin"

  @tools
  Scenario: The package runs the tools
    Given the tools get_weather
    When the client anthropic-python does "tools" with:
      | prompt | What is the weather in Paris? |
    Then the client's "calls[0].name" is "get_weather"
    And the client's "calls[0].arguments.city" is "Paris"
    And the client's "text" mentions "18"

  @auth
  Scenario: The package meets a key that is wrong
    Given the API key "sk-wrong"
    When the client anthropic-python tries "chat" with:
      | prompt | Hello |
    Then the client fails with "AuthenticationError"
    And the client's "error.status" is 401

  Scenario: The package meets a request that is refused
    Given the parameter "temperature" is "hot"
    When the client anthropic-python tries "chat" with:
      | prompt | Hello |
    Then the client fails with "BadRequestError"
